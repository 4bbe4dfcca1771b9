import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { Coordinator, GivenBlob } from '../../app/service/coordinator.ts'
import type { BlobQuestion, EventBatch, HeartbeatAnswer, ReportAnswer, WorkerClaim, WorkerJob } from '../../app/service/worker-protocol.ts'

export function failing(code: string, retryable = false): Failure {
  return new Failure({ code, message: `it is ${code}`, hint: 'a test did this', retryable })
}

export const GONE = failing('coordinator-unreachable', true)

/** A coordinator that does as a test says, and notes what it was told. */
export class ScriptedCoordinator implements Coordinator {
  readonly jobs: WorkerJob[] = []
  readonly batches: EventBatch[] = []
  readonly reports: { readonly attemptId: string; readonly document: string }[] = []
  readonly given = new Map<Sha256, Buffer>()
  beats = 0
  claims = 0
  /** Called before anything is answered; what it throws is the answer. */
  meddle: (call: 'claim' | 'heartbeat' | 'events' | 'missing' | 'give' | 'report', about?: unknown) => void = () => {}

  /** What a report that was taken is answered after. */
  reportAnswered: () => Promise<void> = async () => {}

  async claim(_claim: WorkerClaim, signal: AbortSignal): Promise<WorkerJob | undefined> {
    this.claims += 1
    this.meddle('claim')
    const job = this.jobs.shift()
    if (job !== undefined) return job
    // As one that has nothing for as long as is waited.
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    return undefined
  }

  async heartbeat(): Promise<HeartbeatAnswer> {
    this.beats += 1
    this.meddle('heartbeat')
    return { expiresAt: new Date().toISOString() }
  }

  async events(_attemptId: string, batch: EventBatch): Promise<void> {
    this.meddle('events', batch)
    this.batches.push(batch)
  }

  async missing(_attemptId: string, { digests }: BlobQuestion): Promise<readonly Sha256[]> {
    this.meddle('missing')
    return digests.filter((sha256) => !this.given.has(sha256))
  }

  async fetch(digests: readonly Sha256[], into: BlobStore): Promise<void> {
    for (const sha256 of digests) {
      const bytes = this.given.get(sha256)
      if (bytes === undefined) throw failing('blob-missing')
      await into.put(
        (async function* () {
          yield bytes
        })(),
        sha256,
      )
    }
  }

  async give({ sha256, bytes }: GivenBlob): Promise<void> {
    this.meddle('give', sha256)
    this.given.set(sha256, Buffer.concat(await Array.fromAsync(bytes())))
  }

  async report(attemptId: string, document: string): Promise<ReportAnswer> {
    this.meddle('report', document)
    this.reports.push({ attemptId, document })
    await this.reportAnswered()
    return { state: 'committed' }
  }
}

let made = 0

export function jobOf(change: Partial<WorkerJob> = {}): WorkerJob {
  made += 1
  const id = `019c0000-0000-7000-8000-${String(made).padStart(12, '0')}`
  const sha256 = 'a'.repeat(64) as Sha256
  return {
    schema: 'bitwitness/worker-job/v1',
    attempt: { id, verificationId: id, number: 1, mode: 'live' },
    lease: id,
    expiresAt: '2026-01-01T00:01:00.000Z',
    heartbeatSeconds: 10,
    source: { pinned: { kind: 'archive', name: 'app', sha256, path: '.', treeDigest: sha256 }, tar: sha256 },
    lock: null,
    builder: null,
    retried: [],
    ...change,
  }
}
