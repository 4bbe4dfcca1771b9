import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { StoredAttempt } from '../store/records.ts'
import type { Unit } from '../store/store-ports.ts'
import { checkReport } from './check-report.ts'
import { requireLease } from './held-lease.ts'
import { attemptUnknown, type HeldAttempt, holdAttempt } from './hold-attempt.ts'
import { readProtocol } from './protocol-document.ts'
import { takeReported } from './report-attempt.ts'
import { bytesOfReport, type ReportBytes } from './report-bytes.ts'
import { factsOf } from './service-events.ts'
import { shownAttempt } from './shown-attempt.ts'
import { blobsAtHand } from './worker-blobs.ts'
import { workerFailure } from './worker-failures.ts'
import type { SpeakingWorker, WorkerPorts } from './worker-ports.ts'
import { AttemptReport, type ReportAnswer } from './worker-protocol.ts'

/**
 * Takes the report of an attempt: from the worker that holds its lease, about that job, with every byte that it names at hand. What it
 * names is kept from then on. The same report again is answered like the first. Fails as `heldLease`, as `readProtocol`, and with
 * `worker-unknown` and `report-…`.
 */
export async function takeReport(ports: WorkerPorts, worker: SpeakingWorker, said: Said): Promise<ReportAnswer> {
  try {
    return await take(ports, worker, said)
  } catch (error) {
    ports.events?.reportRefused?.({ attempt: said.attemptId, worker: worker.id, error })
    throw error
  }
}

type Said = { readonly attemptId: string; readonly document: Uint8Array }

async function take(ports: WorkerPorts, worker: SpeakingWorker, { attemptId, document }: Said): Promise<ReportAnswer> {
  const said = readProtocol(AttemptReport, document)
  const report = { ...said, attempt: shownAttempt(said.attempt) }
  const digest = digestOf(document)
  const { lease } = report
  const holder = { attemptId, lease, worker: worker.id }
  const attempt = await ports.reads.attempts.read(attemptId)
  if (attempt === undefined) throw attemptUnknown()
  if (isTaken(attempt, lease, digest)) return { state: 'committed' }
  // Who does not hold it is told before anything is read for it.
  requireLease(attempt, holder, ports.now())
  const known = report.builder === null ? undefined : await ports.reads.builders.find(report.builder.digest)
  const bytes = await bytesOfReport(report, ports.blobs, known)
  const { changed, stored } = await ports.unitOfWork.run(async (unit) => {
    // Its key may have been revoked since this request began.
    if (!(await unit.workers.counts(worker.id))) throw workerFailure('worker-unknown')
    const found = await holdAttempt(unit, attemptId)
    // Sent twice at once: the other one was faster.
    if (!isTaken(found.attempt, lease, digest)) {
      checkReport({ report, bytes, ...found, allowedBuilders: ports.allowedBuilders ?? [] })
      await requireHanded(unit, holder, namedBy(bytes))
    }
    const taken = await takeReported(unit, {
      ...holder,
      now: ports.now,
      newId: ports.newId,
      found,
      digest,
      report: report.attempt,
      indexes: report.indexes,
    })
    if (taken.changed) await keepNamed(unit, { bytes, found, lock: report.attempt.lock, at: ports.now() })
    return taken
  })
  const state = stored.life.state === 'committed' ? 'committed' : 'queued'
  const { outcome, stages } = report.attempt
  if (changed) ports.events?.attemptEnded?.({ ...factsOf(stored), worker: worker.id, outcome, state, stages })
  return { state }
}

function isTaken({ life }: StoredAttempt, lease: string, digest: Sha256): boolean {
  return life.state === 'committed' && life.lease === lease && life.digest === digest
}

/** Bytes that it did not hand over are somebody else's, however it came to know their digest. */
async function requireHanded(unit: Unit, lease: Parameters<typeof blobsAtHand>[1], named: readonly Sha256[]): Promise<void> {
  const atHand = await blobsAtHand(unit, lease, named)
  const foreign = named.find((sha256) => !atHand.has(sha256))
  if (foreign !== undefined) throw workerFailure('report-blobs-missing', { sha256: foreign })
}

/** Every blob that a report names, once. */
function namedBy({ referred, lock, builder }: ReportBytes): readonly Sha256[] {
  return [...new Set([...referred, ...(lock?.inputs ?? []), ...(builder?.parts ?? [])].map(({ sha256 }) => sha256))]
}

async function keepNamed(
  unit: Unit,
  { bytes, found, lock, at }: { bytes: ReportBytes; found: HeldAttempt; lock: Sha256 | null; at: Date },
): Promise<void> {
  const { verificationId } = found.attempt
  const { referred, builder } = bytes
  const inputs = bytes.lock?.inputs ?? []
  const named = namedBy(bytes)
  // What was collected since it was looked at is not there any more, whatever its file says for a moment longer.
  const known = await unit.blobs.renew(named, at)
  const gone = named.find((sha256) => !known.has(sha256))
  if (gone !== undefined) throw workerFailure('report-blobs-missing', { sha256: gone })
  for (const blob of referred) await unit.blobs.refer({ ...blob, verificationId, at })
  if (lock !== null) await unit.blobs.lockInputs({ lock, inputs, at })
  const [description] = builder?.parts ?? []
  if (builder === null || builder.parts === null || description === undefined) return
  const { parts, digest, architecture, mkosi } = builder
  await unit.builders.add({ digest, architecture, mkosi, description: description.sha256, addedAt: at }, parts)
}
