import { z } from 'zod'
import { readSmallFile } from '../../verifier/bytes/small-file.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { Secret } from '../../verifier/model/secret.ts'
import { problemsInOne, readPlainYaml } from '../../verifier/recipe/plain-yaml.ts'
import { parseBase } from './mirrors.ts'
import { parseVmmAddress, VMM_FORM, type VmmPlace } from './vmm-address.ts'

const Name = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'small letters, digits and single dashes')
  .max(64)
const File = z.string().startsWith('/').max(4096)
const read = <T>(parse: (text: string) => T | undefined, form: string) =>
  z
    .string()
    .max(2048)
    .transform((text, context) => {
      const value = parse(text)
      if (value !== undefined) return value
      context.addIssue(form)
      return z.NEVER
    })

const named = {
  name: Name,
  /** Patterns of who may deploy to it, as policies name owners. */
  owners: z.array(z.string().min(1).max(512)).min(1).max(100),
  /** By which of the policies in BITWITNESS_POLICIES it may be decided what is started there. */
  policies: z.array(Name).min(1).max(100),
}

/** What the file of BITWITNESS_TARGETS may say (docs/deploy.md). */
const TargetsFile = z
  .strictObject({
    targets: z
      .array(
        z.discriminatedUnion('kind', [
          z.strictObject({
            ...named,
            kind: z.literal('phala-cloud'),
            /** Of an API key. */
            key: File,
            url: read(parseBase, 'an http(s) URL without user, query and fragment').optional(),
          }),
          z.strictObject({
            ...named,
            kind: z.literal('dstack-vmm'),
            address: read(parseVmmAddress, VMM_FORM),
            /** Of a token of its `[auth]`. */
            token: File.optional(),
            /** os_image_hash of guest images by their names: the VMM does not tell it. */
            osImages: z
              .record(z.string().min(1).max(128), Sha256)
              .refine((images) => Object.keys(images).length > 0, 'a map of at least 1'),
          }),
        ]),
      )
      .min(1)
      .max(50),
  })
  .refine(({ targets }) => new Set(targets.map(({ name }) => name)).size === targets.length, {
    path: ['targets'],
    error: 'a list in which no name stands twice',
  })

type Named = { readonly name: string; readonly owners: readonly string[]; readonly policies: readonly string[] }

/** A target as the operator described it, with what the files hold that it names. */
export type TargetConfig = Named &
  (
    | { readonly kind: 'phala-cloud'; readonly key: Secret; readonly url: URL | null }
    | {
        readonly kind: 'dstack-vmm'
        readonly address: VmmPlace
        readonly token: Secret | null
        readonly osImages: ReadonlyMap<string, Sha256>
      }
  )

const MAX_FILE = 256 * 1024
const MAX_SECRET = 8 * 1024

/** Reads the file of targets. Failures: `targets-unreadable`, `targets-malformed`, `target-secret-unreadable`. */
export async function readTargets(file: string): Promise<readonly TargetConfig[]> {
  const found = await readSmallFile(file, { maxBytes: MAX_FILE })
  if (found.bytes === null)
    throw new Failure({
      code: 'targets-unreadable',
      message: 'the file of targets cannot be read',
      hint: 'check that BITWITNESS_TARGETS names a YAML file of at most 256 KiB that this user may read',
      cause: found.cause,
    })
  const { data, problems } = readPlainYaml(found.bytes.toString('utf8'), TargetsFile)
  if (data === null)
    throw new Failure({
      code: 'targets-malformed',
      message: `the file of targets cannot be taken: ${problemsInOne(problems)}`,
      hint: 'docs/deploy.md says what stands in it',
    })
  return await Promise.all(
    data.targets.map(async (target): Promise<TargetConfig> => {
      const { name, owners, policies } = target
      const named = { name, owners, policies }
      if (target.kind === 'phala-cloud')
        return { ...named, kind: target.kind, key: await readSecret(target.key, name), url: target.url ?? null }
      const token = target.token === undefined ? null : await readSecret(target.token, name)
      return { ...named, kind: target.kind, address: target.address, token, osImages: new Map(Object.entries(target.osImages)) }
    }),
  )
}

async function readSecret(file: string, target: string): Promise<Secret> {
  const { bytes, ...read } = await readSmallFile(file, { maxBytes: MAX_SECRET })
  const text = bytes?.toString('latin1').replace(/\r?\n$/, '') ?? ''
  if (/^[\x21-\x7e]{1,4096}$/.test(text)) return new Secret(text)
  throw new Failure({
    code: 'target-secret-unreadable',
    message: `the key or token of the target ${target} cannot be read`,
    hint: 'its file has to hold it on one line, and this user has to be able to read it',
    ...('cause' in read ? { cause: read.cause } : {}),
  })
}
