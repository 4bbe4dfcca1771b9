import { recordedPackage } from '../../../verifier/explain/dpkg/package-record.ts'
import { explain } from '../../../verifier/explain/explain.ts'
import { EXPLAIN_LIMITS } from '../../../verifier/explain/limits.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { ArtifactRoom } from '../opened-artifact.ts'
import { CHANGES_SCHEMA, type ChangesDocument } from './changes-document.ts'
import { type ImageSide, readImageSide } from './image-side.ts'
import { versionChanges } from './version-changes.ts'

export type ChangesCommand = ArtifactRoom & {
  /** Files that describe the older image; at least one. */
  readonly older: readonly string[]
  readonly newer: readonly string[]
  /** Null: the only one that is a tree. */
  readonly artifact: string | null
}

/** Says what changed from one image to the next: packages and files. Failures: `changes-not-comparable`, those of `readImageSide` and `explain`. */
export async function changes(o: ChangesCommand): Promise<ChangesDocument> {
  const older = await readImageSide(o.older, { ...o, name: 'older' })
  const newer = await readImageSide(o.newer, { ...o, name: 'newer' })
  const packages = packageChanges(older, newer)
  const files = await fileChanges(o, older, newer)
  if (packages.of === null && !files.compared)
    throw new Failure({
      code: 'changes-not-comparable',
      message: 'the two images are not known by anything that can be compared',
      hint: 'describe both by a tree manifest, both by a bill of materials or both by an input lock; a build folder has all three',
    })
  return { schema: CHANGES_SCHEMA, verdict: verdictOf(packages, files), older: labelOf(o.older), newer: labelOf(o.newer), packages, files }
}

function labelOf([first = '', ...more]: readonly string[]): string {
  return more.length === 0 ? first : `${first} and ${more.length} more`
}

function packageChanges(older: ImageSide, newer: ImageSide): ChangesDocument['packages'] {
  const totals = { added: 0, removed: 0, upgraded: 0, downgraded: 0, unlisted: 0 }
  const of = older.packages !== null && newer.packages !== null ? 'image' : older.inputs !== null && newer.inputs !== null ? 'inputs' : null
  if (of === null) return { of, reason: missing('packages', older, newer), totals, changes: [] }
  const [left, right] = of === 'image' ? [older.packages, newer.packages] : [older.inputs, newer.inputs]
  const found = versionChanges(left ?? [], right ?? [])
  for (const { kind } of found) totals[kind] += 1
  totals.unlisted = Math.max(0, found.length - EXPLAIN_LIMITS.maxPackages)
  const reasons = [
    ...(of === 'image' ? [] : ['what is installed is not known of both']),
    ...(totals.unlisted === 0 ? [] : [`${totals.unlisted} packages are not listed`]),
  ]
  return { of, reason: reasons.length === 0 ? null : reasons.join('; '), totals, changes: found.slice(0, EXPLAIN_LIMITS.maxPackages) }
}

async function fileChanges(o: ChangesCommand, older: ImageSide, newer: ImageSide): Promise<ChangesDocument['files']> {
  if (older.manifest === null || newer.manifest === null)
    return {
      compared: false,
      reason: missing('manifest', older, newer),
      totals: { added: 0, removed: 0, changed: 0, unlisted: 0 },
      changes: [],
    }
  const side = ({ file }: ImageSide, manifest: Sha256, label: string) => ({ manifest: opened(o, manifest), file, label })
  const found = await explain({
    left: side(older, older.manifest, 'the older image'),
    right: side(newer, newer.manifest, 'the newer image'),
    // Who owns a path is wanted, and not what is in it.
    limits: { ...EXPLAIN_LIMITS, maxInspected: 0 },
    signal: o.signal,
  })
  const { added, removed, changed, unlisted } = found.totals
  return {
    compared: true,
    reason: unlisted === 0 ? null : `${unlisted} paths are not listed`,
    totals: { added, removed, changed, unlisted },
    changes: found.changes.map(({ path, kind, what, package: owner }) => ({
      path,
      kind,
      what: what.map(({ aspect }) => aspect),
      package: owner ?? recordedPackage(path),
    })),
  }
}

async function* opened({ blobs }: ChangesCommand, manifest: Sha256): AsyncGenerator<Uint8Array, void, void> {
  yield* await blobs.open(manifest)
}

const WANTING = { packages: 'a list of packages, and no lock on both sides', manifest: 'a tree manifest' } as const

function missing(what: keyof typeof WANTING, older: ImageSide, newer: ImageSide): string {
  const sides = [older[what] === null ? 'the older image' : '', newer[what] === null ? 'the newer image' : ''].filter((side) => side !== '')
  return `${sides.join(' and ')}: not known by ${WANTING[what]}`
}

function verdictOf({ of, totals }: ChangesDocument['packages'], files: ChangesDocument['files']): ChangesDocument['verdict'] {
  const { added, removed, upgraded, downgraded } = totals
  const changed = added + removed + upgraded + downgraded + files.totals.added + files.totals.removed + files.totals.changed
  if (changed > 0) return 'changed'
  return of === 'image' && files.compared ? 'unchanged' : 'undecided'
}
