import type { BlobStore } from '../../model/blob-store.ts'
import type { Sha256 } from '../../model/digest.ts'
import type { Input } from '../../model/lock.ts'
import type { InputFailure } from './input-proxy.ts'
import { type IndexedPackage, packagesIn } from './packages-index.ts'
import { parseRelease, type Release } from './release-file.ts'
import { type Target, targetKey } from './target.ts'

export type Recorded = Target & { readonly sha256: Sha256; readonly size: number }

/** Of all signed indexes together, one that stands at several addresses counted at each; a build takes three of some hundred kilobytes. */
const MAX_RELEASES = 16 << 20
/** Package indexes that are read, at most; a build takes a dozen. */
const MAX_INDEXES = 64

/**
 * Says what each recorded body is: signed indexes by suite and date, packages by the name and version that the archive's own index gives
 * to them, checked against the sha256 there. Whether a signature is good was judged by apt, in the build, and is again in each replay.
 */
export async function lockRecording(
  recorded: readonly Recorded[],
  blobs: BlobStore,
): Promise<{ readonly inputs: readonly Input[] & Input[]; readonly failures: readonly InputFailure[] }> {
  const failures: InputFailure[] = []
  const inputs: Input[] = []
  const releases: { readonly archive: string; readonly release: Release }[] = []
  let room = MAX_RELEASES
  for (const entry of recorded.filter(({ path }) => isRelease(path))) {
    room -= entry.size
    const release = room < 0 ? undefined : parseRelease(await text(blobs, entry.sha256), entry.path.endsWith('/InRelease'))
    if (release === undefined) {
      failures.push(failure(entry, 'input-unavailable', 'a mirror sent something else than a release file'))
      inputs.push({ kind: 'index', ...entry })
    } else {
      releases.push({ archive: entry.archive, release })
      const { suite, codename, date, validUntil } = release
      inputs.push({ kind: 'release', ...entry, suite, codename, date, validUntil })
    }
  }
  const packages = recorded.filter(({ path }) => isPackage(path))
  const indexed =
    packages.length === 0 ? new Map<string, IndexedPackage[]>() : await readIndexes(recorded, packages, releases, blobs, failures)
  for (const entry of packages) {
    const stanzas = indexed.get(targetKey(entry)) ?? []
    const stanza = stanzas.find(({ sha256 }) => sha256 === entry.sha256)
    const stated = stanzas[0]
    if (stanza === undefined && stated !== undefined)
      failures.push({
        ...failure(entry, 'input-differs', 'a mirror has other bytes than the archive index names'),
        expected: stated.sha256,
        actual: entry.sha256,
      })
    const { name, version, architecture } = stanza ?? byFileName(entry.path)
    inputs.push({ kind: 'package', ...entry, name, version, architecture })
  }
  for (const entry of recorded) if (!isRelease(entry.path) && !isPackage(entry.path)) inputs.push({ kind: 'index', ...entry })
  return { inputs, failures }
}

/** Reads those package indexes that a recorded release file names, by their digest. */
async function readIndexes(
  recorded: readonly Recorded[],
  packages: readonly Recorded[],
  releases: readonly { readonly archive: string; readonly release: Release }[],
  blobs: BlobStore,
  failures: InputFailure[],
): Promise<Map<string, IndexedPackage[]>> {
  const found = new Map<string, IndexedPackage[]>()
  const named = indexNames(releases)
  const seen = new Set<string>()
  for (const entry of recorded) {
    const at = `${entry.archive} ${entry.sha256}`
    const name = named.get(at)
    if (name === undefined || seen.has(at)) continue
    seen.add(at)
    const wanted = new Set(packages.filter(({ archive }) => archive === entry.archive).map(({ path }) => path))
    const read = seen.size > MAX_INDEXES ? undefined : await packagesIn(await blobs.open(entry.sha256), name, wanted)
    if (read === undefined) failures.push(failure(entry, 'input-unavailable', 'a package index could not be read'))
    for (const stanza of read ?? []) {
      const key = targetKey({ archive: entry.archive, path: stanza.path })
      const known = found.get(key)
      if (known === undefined) found.set(key, [stanza])
      else known.push(stanza)
    }
  }
  return found
}

/** `<archive> <sha256>` -> name, of the package indexes that release files name. */
function indexNames(releases: readonly { readonly archive: string; readonly release: Release }[]): ReadonlyMap<string, string> {
  const named = new Map<string, string>()
  for (const { archive, release } of releases)
    for (const [sha256, names] of release.files) {
      const name = names.find((file) => /(^|\/)Packages(\.[a-z0-9]+)?$/.test(file))
      if (name !== undefined && !named.has(`${archive} ${sha256}`)) named.set(`${archive} ${sha256}`, name)
    }
  return named
}

/** `pool/main/d/dash/dash_0.5.12-2_amd64.deb`: the file name leaves the version's epoch out. */
function byFileName(path: string): { readonly name: string; readonly version: string; readonly architecture: string } {
  const file = path.slice(path.lastIndexOf('/') + 1).replace(/\.u?deb$/, '')
  const [name = file, version = '', architecture = ''] = file.split('_')
  return { name, version, architecture }
}

function isRelease(path: string): boolean {
  return /(^|\/)(InRelease|Release)$/.test(path)
}

function isPackage(path: string): boolean {
  return /\.u?deb$/.test(path)
}

async function text(blobs: BlobStore, sha256: Sha256): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of await blobs.open(sha256)) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

function failure(target: Target, code: 'input-unavailable' | 'input-differs', message: string): InputFailure {
  return { code, archive: target.archive, path: target.path, expected: null, actual: null, message }
}
