import { parse, Scalar, stringify } from 'yaml'
import { Failure } from '../../verifier/model/failure.ts'
import type { ImageConfig } from '../../verifier/model/recipe.ts'

export type DeployedImage = {
  /** Name of the service and of the app. */
  readonly service: string
  /** `HOST/PATH@sha256:…`. */
  readonly image: string
  readonly config: Pick<ImageConfig, 'cmd' | 'workingDir' | 'env' | 'exposedPorts'>
}

/**
 * A compose file with one service that runs an image by its digest, with what the image's config says of how it runs: its ports under the
 * same numbers, working folder, command, environment. Entrypoint and user stay the image's own. A pure function.
 *
 * Every text but a name that is a plain word is double-quoted ASCII with JSON's escapes, which YAML 1.1 and 1.2 read alike: unquoted, `no` is false to some and `22:22` a
 * number, and a line separator inside quotes is a space. `$` is doubled, since Compose puts variables in. Throws `compose-text-unwritable`.
 */
export function deployCompose({ service, image, config }: DeployedImage): string {
  const { cmd, workingDir, env, exposedPorts } = config
  const environment = distinctNames(env)
  const value = {
    services: new Map([
      [
        nameKey(service),
        {
          image,
          ...(exposedPorts.length === 0 ? {} : { ports: exposedPorts.map(portMapping) }),
          restart: 'no',
          ...(workingDir === null ? {} : { working_dir: literal(workingDir) }),
          ...(cmd.length === 0 ? {} : { command: cmd.map(literal) }),
          ...(environment.length === 0 ? {} : { environment: environment.map(literal) }),
        },
      ],
    ]),
  }
  const text = stringify(value, {
    version: '1.2',
    defaultKeyType: 'PLAIN',
    defaultStringType: 'QUOTE_DOUBLE',
    doubleQuotedAsJSON: true,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  })
  // Beyond ASCII there is nothing but texts between quotes.
  return text.replaceAll(/[^\n\x20-\x7e]/gu, escaped)
}

/** Plain where YAML 1.1 and 1.2 take it for a text: an image can be called `no`, `2024-01-01` or `1_000`. */
function nameKey(service: string): string | Scalar<string> {
  if (/^[a-z]/.test(service) && parse(service, { version: '1.1' }) === service) return service
  const key = new Scalar(service)
  key.type = 'QUOTE_DOUBLE'
  return key
}

/** `3000/tcp` is `3000:3000`; other protocols are named. */
function portMapping(port: string): string {
  const [number = '', protocol = 'tcp'] = port.split('/')
  if (!/^[1-9]\d{0,4}(?:\/(?:tcp|udp|sctp))?$/.test(port) || Number(number) > 65_535) throw unwritable()
  return `${number}:${number}${protocol === 'tcp' ? '' : `/${protocol}`}`
}

/** Of a name that stands twice the image and Compose take another value each: it is left to the image. */
function distinctNames(env: readonly string[]): readonly string[] {
  // A name alone would let a variable in from outside.
  if (!env.every((entry) => /^[^=]+=/.test(entry))) throw unwritable()
  const names = env.map((entry) => entry.split('=', 1)[0])
  return env.filter((_, index) => names.filter((name) => name === names[index]).length === 1)
}

/** Compose's own rule: `$$` is a `$` (compose-spec, "Interpolation"). */
function literal(text: string): string {
  if (/\p{Cs}|\0/u.test(text)) throw unwritable()
  return text.replaceAll('$', '$$$$')
}

function unwritable(): Failure {
  return new Failure({
    code: 'compose-text-unwritable',
    message: 'the image config has what no compose file can say: half a character, a zero, a port or a variable that is none',
    hint: "correct it in the recipe's bitwitness.yaml, and build again",
  })
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}
