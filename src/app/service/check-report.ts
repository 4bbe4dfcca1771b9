import { isDeepStrictEqual } from 'node:util'
import { packOci } from '../../../verifier/compare/oci-image.ts'
import type { Artifact } from '../../../verifier/model/attempt.ts'
import type { SignedIndex } from '../../../verifier/model/lock.ts'
import type { Prepared, StoredAttempt } from '../store/records.ts'
import type { HeldVerification } from '../store/store-ports.ts'
import { type AllowedBuilders, builderOfJob, isAllowed, lockOfJob } from './job-terms.ts'
import type { ReportBytes } from './report-bytes.ts'
import { workerFailure } from './worker-failures.ts'
import type { AttemptReport } from './worker-protocol.ts'

export type CheckedReport = {
  readonly report: AttemptReport
  readonly bytes: Pick<ReportBytes, 'lock' | 'builder'>
  readonly attempt: StoredAttempt
  readonly held: Pick<HeldVerification, 'attempts' | 'prepared' | 'submission'>
  readonly allowedBuilders: AllowedBuilders
}

/**
 * Holds a worker's report against the job that it was given, against the bytes that it names, and against itself. What it says of bits
 * is not believed here: that is for the comparison with other attempts. Throws `report-…`. A pure function.
 */
export function checkReport(o: CheckedReport): void {
  const { prepared } = o.held
  if (prepared === null) throw workerFailure('report-of-another-job', { what: 'verification' })
  checkJob(o, prepared)
  checkBuilder(o, prepared)
  checkInputs(o)
  const { attempt } = o.report
  const built = attempt.outcome === 'built'
  // Rules were asked before anything was queued: that a recipe is refused is no worker's to say.
  require(attempt.outcome !== 'refused', 'outcome')
  require(built === attempt.artifacts.length > 0, 'artifacts')
  require(new Set(attempt.artifacts.map(({ name }) => name)).size === attempt.artifacts.length, 'artifact-name')
  for (const artifact of attempt.artifacts) checkArtifact(artifact, prepared)
  require(!built || (attempt.log !== null && attempt.sandbox !== null && attempt.usage !== null), 'outcome')
  require((attempt.outcome === 'limit') === (attempt.limit !== null), 'limit')
  require(built === (attempt.reason === null) || attempt.outcome === 'cancelled', 'reason')
}

function checkJob({ report, attempt: { number, mode } }: CheckedReport, prepared: Prepared): void {
  const { attempt, treeDigest } = report
  if (attempt.number !== number) throw workerFailure('report-of-another-job', { what: 'number' })
  if (attempt.mode !== mode) throw workerFailure('report-of-another-job', { what: 'mode' })
  const ours = treeDigest === prepared.pinned.treeDigest
  if (!ours && (treeDigest !== null || attempt.outcome === 'built')) throw workerFailure('report-of-another-job', { what: 'source' })
}

function checkBuilder({ report, bytes, held, allowedBuilders }: CheckedReport, prepared: Prepared): void {
  const { attempt, builder } = report
  if (attempt.builder !== (builder?.digest ?? null)) throw workerFailure('report-contradictory', { what: 'builder' })
  if (builder === null) {
    if (attempt.outcome === 'built' || attempt.outcome === 'build-failed') throw workerFailure('report-contradictory', { what: 'builder' })
    return
  }
  const image = bytes.builder
  const { digest, mkosi, architecture } = builder
  const same = image?.digest === digest && image.mkosi === mkosi && image.architecture === architecture
  if (!same) throw workerFailure('report-contradictory', { what: 'builder' })
  if (!isAllowed(allowedBuilders, digest)) throw workerFailure('report-builder-not-allowed')
  const wanted = builderOfJob(held)
  if (architecture !== prepared.architecture || (wanted !== null && wanted !== digest)) throw workerFailure('report-builder-differs')
}

function checkInputs({ report, bytes: { lock }, attempt, held }: CheckedReport): void {
  const { outcome, lock: named } = report.attempt
  const wanted = lockOfJob(held, attempt)
  // Later attempts are replays of what this one took.
  if (named === null && (outcome === 'built' || outcome === 'build-failed')) throw workerFailure('report-lock-differs', { what: 'none' })
  if (named !== null && wanted !== null && named !== wanted) throw workerFailure('report-lock-differs', { what: 'another' })
  if (lock !== null && lock.architecture !== held.prepared?.architecture)
    throw workerFailure('report-contradictory', { what: 'lock-architecture' })
  const signed = new Map(lock?.inputs.flatMap((input) => (input.kind === 'release' ? [[keyOf(input), input]] : [])))
  for (const index of report.indexes) require(isDeepStrictEqual(signed.get(keyOf(index)), index), 'indexes')
}

function keyOf({ archive, path }: Pick<SignedIndex, 'archive' | 'path'>): string {
  return `${archive} ${path}`
}

/** What mkosi's outputs are called (verifier/builder/plan.ts), with what it splits off them. */
const NAME = /^(?!\.)[A-Za-z0-9._+~@-]{1,255}$/

function checkArtifact({ name, format, sha256, size, oci, treeManifest, written }: Artifact, prepared: Prepared): void {
  require(NAME.test(name) && NAME.test(written.name), 'artifact-name')
  const tree = format === 'tar' || format === 'directory'
  require(!tree || treeManifest !== null, 'tree-manifest')
  if (format === 'oci') {
    // Its digest is of no file that is handed over: none is taken for what the recipe says is another.
    require(prepared.reading.recipe.images.some(({ format: said }) => said === null || said === 'oci'), 'format')
    return require(oci?.manifest === sha256, 'image')
  }
  if (!tree) {
    // What is not packed and has no canonical form is what was written, unless that was compressed.
    const same = written.sha256 === sha256 && written.size === size
    require(written.compression !== 'none' || same, 'written')
    return require(oci === null && treeManifest === null, 'image')
  }
  // The image is packed from the tar by a rule that leaves nothing to choose.
  const { recipe } = prepared.reading
  const { architecture } = prepared
  const image = packOci({ layer: { sha256, size }, created: recipe.sourceDateEpoch ?? 0, architecture, config: recipe.imageConfig })
  const packed = { manifest: image.manifest.sha256, config: image.config.sha256, layer: sha256 }
  require(isDeepStrictEqual(oci, packed), 'image')
}

function require(condition: boolean, what: string): void {
  if (!condition) throw workerFailure('report-contradictory', { what })
}
