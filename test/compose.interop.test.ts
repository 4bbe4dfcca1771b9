import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createCompose } from '../src/app/compose/create-compose.ts'
import { deploymentOf } from '../src/dstack/deployment.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import { parsePinnedReference } from '../verifier/model/image-reference.ts'

const fetched = path.join(import.meta.dirname, '..', '.tools', 'verifiers', 'bin', 'docker-compose')
const compose = process.env['DOCKER_COMPOSE'] ?? fetched
const image = `docker.io/user/app@sha256:${'ab'.repeat(32)}`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-compose-'))
})
afterAll(() => rm(folder, { recursive: true }))

type Service = {
  readonly image: string
  readonly restart: string
  readonly command: readonly string[] | null
  readonly working_dir?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly { readonly target: number; readonly published: string; readonly protocol: string }[]
}

/** What Compose itself makes of the file. */
async function configured(config: Parameters<typeof deploymentOf>[0]['config']): Promise<Service | undefined> {
  const file = path.join(folder, 'docker-compose-deploy.yml')
  await writeFile(file, deploymentOf({ service: 'app', image, config }).compose)
  return (await configuredServices(file))['app']
}

/** It shows every `$` doubled, as it would have to be written again. */
async function configuredServices(file: string): Promise<Readonly<Record<string, Service>>> {
  const args = ['-p', 'project', '-f', file, 'config', '--format', 'json']
  const { stdout } = await execa(compose, args, { env: { HOME: folder, A: 'taken from outside' } })
  return (JSON.parse(stdout, once) as { services: Record<string, Service> }).services
}

const once = (_: unknown, value: unknown): unknown => (typeof value === 'string' ? value.replaceAll('$$', '$') : value)

it('Docker Compose reads out of the file what the image config says, whatever it is', async ({ skip }) => {
  if (!existsSync(compose)) return skip('docker-compose is not here: make interop fetches it')
  const texts = [
    `quotes " ' and \\ backslashes \\" \\\\`,
    'a line\nand another\r\nand\ttabs',
    'variables $A ${A} ${A:-b} $$A $(id) `id` $',
    'yaml: - # & * ! | > % @ { } [ ] , ? no 22:22',
    'letters \u00e9 \u65e5\u672c \u{1f600} \u0085 \u2028 \u2029 \ufeff \u00a0 \u200e \u007f \u0001',
    ' leading and trailing ',
    '',
  ]
  const service = await configured({
    cmd: texts,
    workingDir: `/work ${texts[2]}`,
    env: texts.map((text, index) => `NAME_${index}=${text}`),
    exposedPorts: ['3000/tcp', '53/udp'],
  })
  expect(service).toMatchObject({
    image,
    restart: 'no',
    command: texts,
    working_dir: `/work ${texts[2]}`,
    environment: Object.fromEntries(texts.map((text, index) => [`NAME_${index}`, text])),
    ports: [
      { target: 3000, published: '3000', protocol: 'tcp' },
      { target: 53, published: '53', protocol: 'udp' },
    ],
  })
})

it('Docker Compose takes the file of an image without a config', async ({ skip }) => {
  if (!existsSync(compose)) return skip('docker-compose is not here: make interop fetches it')
  expect(await configured({ cmd: [], workingDir: null, env: [], exposedPorts: [] })).toMatchObject({ image, restart: 'no', command: null })
})

/** Every kind of quote, of what YAML and Compose read into a text, and of letters; no zero, which no program takes. */
const anyText = fc.array(
  fc.oneof(
    fc.constantFrom('"', "'", '`', '\u2018', '\u201d', '\u00ab', '\\', '\\"', "''", '\n', '\r\n', '\r', '\t', '\u0085', '\u2028', '\u2029'),
    fc.constantFrom(
      '$',
      '$$',
      '$A',
      '${A}',
      '${A:-b}',
      '${A',
      '$(id)',
      '{{A}}',
      '%A%',
      '#',
      ' #',
      ': ',
      '- ',
      '? ',
      '& ',
      '*a',
      '!!str ',
      '|',
      '>',
      '---',
      '...',
    ),
    fc.constantFrom(
      '\ufeff',
      '\u200b',
      '\u200e',
      '\u00a0',
      '\u007f',
      '\u0001',
      '\u001b',
      '\ud7ff',
      '\ufffe',
      '\u{10ffff}',
      '\u{1f600}',
      '\u0301',
      ' ',
      '',
    ),
    fc.constantFrom('no', 'true', 'null', '~', '1e3', '0x1f', '22:22', '1_000', '2024-01-01', '.inf', '<<', '=', '0'),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', '')),
  ),
  { maxLength: 6 },
)
const text = anyText.map((parts) => parts.join(''))
const created = fc.record({
  name: fc.oneof(
    fc.constantFrom('no', 'y', 'null', '123', '1_000', '2024-01-01', '1e3', '0x1f', '0.1', 'a.b-c_d', 'constructor', 'proto'),
    fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,40}$/),
  ),
  ports: fc.uniqueArray(fc.record({ target: fc.integer({ min: 1, max: 65_535 }), protocol: fc.constantFrom('tcp', 'udp', 'sctp') }), {
    maxLength: 4,
    selector: ({ target }) => target,
  }),
  env: fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,20}$/), text, { maxKeys: 6, noNullPrototype: true }),
  command: fc.array(text, { maxLength: 6 }),
  workingDir: fc.option(text.map((one) => `/${one}`)),
})

it('what compose create is given is read back equal out of its files, as JSON, as YAML and by Docker Compose', async ({ skip }) => {
  if (!existsSync(compose)) return skip('docker-compose is not here: make interop fetches it')
  const reference = parsePinnedReference(image)
  await fc.assert(
    fc.asyncProperty(created, async ({ name, ports, env, command, workingDir }) => {
      const written = ports.map(({ target, protocol }) => `${target}${protocol === 'tcp' ? '' : `/${protocol}`}`)
      const given = Object.entries(env).map(([key, value]) => `${key}=${value}`)
      // What was made before is something else, and would be in the way.
      for (const made of ['docker-compose-deploy.yml', 'app-compose.json']) await rm(path.join(folder, made), { force: true })
      const o = { image: reference, name, ports: written, env: given, command, workingDir, folder }
      const { composeHash, files } = await createCompose({ deployment: deploymentOf }, o)
      const appCompose = await readFile(path.join(folder, files.appCompose))
      const composeFile = await readFile(path.join(folder, files.dockerCompose), 'utf8')
      expect(digestOf(appCompose)).toBe(composeHash)
      expect(JSON.parse(appCompose.toString())).toMatchObject({ name, docker_compose_file: composeFile, allowed_envs: [] })
      const expected = {
        image,
        command: command.length === 0 ? null : command,
        working_dir: workingDir ?? undefined,
        environment: given.length === 0 ? undefined : env,
      }
      for (const version of ['1.1', '1.2'] as const) {
        const read = (parse(composeFile, once, { version, strict: true, uniqueKeys: true }) as { services: Record<string, Service> })
          .services
        const { environment = [], ...service } = read[name] ?? {}
        expect(Object.keys(read)).toEqual([name])
        expect({ command: null, ...service }).toMatchObject({
          image,
          command: expected.command,
          ...(workingDir === null ? {} : { working_dir: workingDir }),
        })
        expect(environment).toEqual(given)
      }
      const services = await configuredServices(path.join(folder, files.dockerCompose))
      expect(Object.keys(services)).toEqual([name])
      const {
        working_dir,
        environment,
        command: run,
        image: pulled,
        ports: published = [],
      } = services[name] ?? { image: '', restart: '', command: null }
      expect({ image: pulled, command: run, working_dir, environment }).toEqual(expected)
      const shown = published.map(({ target, published: outside, protocol }) => ({ target, published: outside, protocol }))
      const asked = ports.map(({ target, protocol }) => ({ target, published: String(target), protocol }))
      const ordered = (list: typeof shown): typeof shown => list.toSorted((a, b) => a.target - b.target)
      expect(ordered(shown)).toEqual(ordered(asked))
    }),
    { numRuns: 150 },
  )
})
