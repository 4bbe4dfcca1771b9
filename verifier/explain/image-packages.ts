import { open } from 'node:fs/promises'
import { Failure } from '../model/failure.ts'
import type { ImagePackages, NpmPackage } from '../model/image-packages.ts'
import { jsonOf } from '../model/json-of.ts'
import { escapeBytes } from '../model/tree-manifest.ts'
import { fromLatin1 } from '../tar/bytes.ts'
import { isDatabaseFile, readOwnership } from './dpkg/ownership.ts'
import { indexMembers, type MemberIndex } from './member-index.ts'

/** Several times what the largest images have. */
const LIMITS = { database: 256 << 20, manifests: 50_000, manifest: 1 << 20, release: 64 << 10 } as const

const OS_RELEASE = ['usr/lib/os-release', 'etc/os-release'] as const
const NPM_MANIFEST = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/

/**
 * Reads what an image consists of from its tar, uncompressed: Debian packages from the database that dpkg left in it, npm packages from
 * their own manifests. Failures: `package-database-missing`, `package-database-too-large`, those of `parseTar`.
 */
export async function readImagePackages(o: { readonly file: string; readonly signal: AbortSignal }): Promise<ImagePackages> {
  await using handle = await open(o.file)
  const wanted = (path: string): boolean => isDatabaseFile(path) || NPM_MANIFEST.test(path) || OS_RELEASE.some((one) => one === path)
  const index = await indexMembers({ handle, wanted, signal: o.signal })
  const manifests = [...index.files.keys()].filter((path) => NPM_MANIFEST.test(path)).toSorted()
  const ownership = await readOwnership({ index, paths: new Set(manifests), maxSize: LIMITS.database })
  if (ownership === null)
    throw new Failure({
      code: 'package-database-missing',
      message: 'the image has no package database: what is in it cannot be told',
      hint: 'leave var/lib/dpkg/status in the image: CleanPackageMetadata=no',
    })
  if (ownership.cut || manifests.length > LIMITS.manifests)
    throw new Failure({
      code: 'package-database-too-large',
      message: 'the package database of the image is larger than any that is known',
      hint: 'look at what wrote it',
    })
  const own = manifests.filter((path) => !ownership.owners.has(path))
  return {
    system: await readSystem(index),
    debian: [...ownership.installed.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one),
    npm: await readNpm(index, own, o.signal),
  }
}

async function readSystem({ files }: MemberIndex): Promise<ImagePackages['system']> {
  const view = OS_RELEASE.map((path) => files.get(path)).find((one) => one !== undefined)
  if (view === undefined || view.size > LIMITS.release) return null
  const text = (await view.read(0, view.size)).toString('latin1')
  // os-release(5): an assignment of a shell, quoted or not.
  const value = (name: string): string | null => new RegExp(`^${name}=["']?([a-z0-9._-]{1,40})["']?$`, 'm').exec(text)?.[1] ?? null
  const id = value('ID')
  return id === null ? null : { id, version: value('VERSION_ID') }
}

async function readNpm({ files }: MemberIndex, paths: readonly string[], signal: AbortSignal): Promise<NpmPackage[]> {
  const found = new Map<string, NpmPackage>()
  for (const path of paths) {
    signal.throwIfAborted()
    const view = files.get(path)
    if (view === undefined || view.size > LIMITS.manifest) continue
    const said = readManifest((await view.read(0, view.size)).toString('utf8'))
    const key = said === null ? '' : `${said.name}\0${said.version}`
    if (said !== null && !found.has(key)) found.set(key, { ...said, path: escapeBytes(fromLatin1(path)) })
  }
  return [...found.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

const NPM_NAME = /^(?:@[A-Za-z0-9~-][A-Za-z0-9._~-]*\/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*$/
const NPM_VERSION = /^\d{1,16}\.\d{1,16}\.\d{1,16}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/

/** Name and version of a `package.json`; null where it names no package, as that of a nested module need not. */
function readManifest(text: string): { readonly name: string; readonly version: string } | null {
  const value = jsonOf(text)
  if (typeof value !== 'object' || value === null) return null
  const { name, version } = value as { readonly name?: unknown; readonly version?: unknown }
  if (typeof name !== 'string' || name.length > 214 || !NPM_NAME.test(name)) return null
  if (typeof version !== 'string' || version.length > 256 || !NPM_VERSION.test(version)) return null
  return { name, version }
}
