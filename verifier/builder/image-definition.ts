import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { Sha256 } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { sha256Of } from '../model/hex-digest.ts'
import { ArchiveName } from '../model/lock.ts'
import { MkosiVersion } from './image-description.ts'

const Suite = z.string().regex(/^[a-z]{1,32}(-[a-z]{1,32})?$/)

const Profile = z.strictObject({
  /** Debian's release. */
  suite: z.string().regex(/^[a-z]{1,32}$/),
  /** Seconds since the epoch: the image's date and the latest time that a file in it may show. */
  epoch: z.int().positive(),
  sources: z.array(z.strictObject({ archive: ArchiveName, suites: z.array(Suite).min(1) })).min(1),
  /** File beside profiles.json. */
  packages: z.string().regex(/^[a-z]+\.packages$/),
})

const Profiles = z.strictObject({ default: MkosiVersion, profiles: z.record(MkosiVersion, Profile) })

/** What a builder image is made from, read from `mkosi/builder/`. */
export type BuilderDefinition = z.infer<typeof Profile> & {
  readonly mkosi: string
  readonly digest: Sha256
  /** Copied into the root, by name. */
  readonly files: ReadonlyMap<DefinitionFile, Uint8Array>
}

export type DefinitionFile = 'agent.py' | 'install.sh' | 'customize.sh' | 'builder.packages'

/**
 * Reads the profile of a mkosi version (null: the default one). Failures: `builder-profile-unknown`, and `builder-definition-malformed`
 * where a file is missing or not what it should be.
 */
export async function readDefinition(dir: string, mkosi: string | null): Promise<BuilderDefinition> {
  const { profiles, ...rest } = parseProfiles(await read(dir, 'profiles.json'))
  const version = mkosi ?? rest.default
  const profile = Object.hasOwn(profiles, version) ? profiles[version] : undefined
  if (profile === undefined)
    throw new Failure({
      code: 'builder-profile-unknown',
      message: 'no builder is defined for this version of mkosi',
      hint: `choose one of ${Object.keys(profiles).join(', ')}, or add a profile to mkosi/builder/profiles.json`,
      data: { known: Object.keys(profiles) },
    })
  const files = new Map<DefinitionFile, Uint8Array>([
    ['agent.py', await read(dir, 'agent.py')],
    ['install.sh', await read(dir, 'install.sh')],
    ['customize.sh', await read(dir, 'customize.sh')],
    ['builder.packages', await read(dir, profile.packages)],
  ])
  return { ...profile, mkosi: version, digest: definitionDigest({ ...profile, mkosi: version }, files), files }
}

/** Versions of mkosi that `dir` defines builders for, and the default among them. */
export async function knownProfiles(dir: string): Promise<{ readonly default: string; readonly versions: readonly string[] }> {
  const profiles = parseProfiles(await read(dir, 'profiles.json'))
  return { default: profiles.default, versions: Object.keys(profiles.profiles) }
}

function definitionDigest(profile: unknown, files: ReadonlyMap<string, Uint8Array>): Sha256 {
  const hash = createHash('sha256').update(JSON.stringify(profile))
  for (const [name, content] of files) hash.update(`\0${name}\0${content.length}\0`).update(content)
  return sha256Of(hash)
}

function parseProfiles(bytes: Uint8Array): z.infer<typeof Profiles> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw malformed('profiles.json', cause)
  }
  const parsed = Profiles.safeParse(json)
  if (!parsed.success || !Object.hasOwn(parsed.data.profiles, parsed.data.default)) throw malformed('profiles.json', parsed.error)
  return parsed.data
}

async function read(dir: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(path.join(dir, name))
  } catch (cause) {
    throw malformed(name, cause)
  }
}

function malformed(file: string, cause: unknown): Failure {
  return new Failure({
    code: 'builder-definition-malformed',
    message: `${file} of the builder's definition cannot be read`,
    hint: 'install Bitwitness again, or name the folder that holds profiles.json',
    audience: 'operator',
    data: { file },
    cause,
  })
}
