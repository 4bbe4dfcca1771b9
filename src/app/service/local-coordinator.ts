import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { appendEvents } from './append-events.ts'
import { claimJob } from './claim-job.ts'
import type { Coordinator, GivenBlob } from './coordinator.ts'
import { keepLease } from './lease-attempt.ts'
import { takeReport } from './take-report.ts'
import { giveBlob, keepBlob, missingBlobs, takeBlob } from './worker-blobs.ts'
import type { SpeakingWorker, WorkerPorts } from './worker-ports.ts'
import type { BlobQuestion, EventBatch, Heartbeat, HeartbeatAnswer, ReportAnswer, WorkerClaim, WorkerJob } from './worker-protocol.ts'

/**
 * The coordinator of a worker that runs in the same process. Both have one store of blobs, so what is in it is not copied; everything else
 * is asked and checked as for any other worker.
 */
export class LocalCoordinator implements Coordinator {
  readonly #ports: WorkerPorts
  readonly #worker: SpeakingWorker

  constructor(ports: WorkerPorts, worker: SpeakingWorker) {
    this.#ports = ports
    this.#worker = worker
  }

  async claim(claim: WorkerClaim, signal: AbortSignal): Promise<WorkerJob | undefined> {
    return await claimJob(this.#ports, this.#worker, { claim, signal })
  }

  async heartbeat(attemptId: string, { lease }: Heartbeat): Promise<HeartbeatAnswer> {
    const expiresAt = await keepLease(this.#ports, { attemptId, lease, worker: this.#worker.id })
    return { expiresAt: expiresAt.toISOString() }
  }

  async events(attemptId: string, batch: EventBatch): Promise<void> {
    await appendEvents(this.#ports, this.#worker, { attemptId, batch })
  }

  async missing(attemptId: string, question: BlobQuestion): Promise<readonly Sha256[]> {
    return await missingBlobs(this.#ports, this.#worker, { attemptId, question })
  }

  async fetch(digests: readonly Sha256[], into: BlobStore, signal: AbortSignal): Promise<void> {
    for (const sha256 of digests) {
      signal.throwIfAborted()
      if ((await into.size(sha256)) === undefined) await into.put((await giveBlob(this.#ports, sha256)).bytes, sha256)
    }
  }

  async give({ attemptId, lease, sha256, size, bytes }: GivenBlob): Promise<void> {
    const holder = { attemptId, lease, sha256 }
    if ((await this.#ports.blobs.size(sha256)) === size) await keepBlob(this.#ports, this.#worker, { ...holder, size })
    else await takeBlob(this.#ports, this.#worker, { ...holder, bytes: bytes() })
  }

  async report(attemptId: string, document: string): Promise<ReportAnswer> {
    return await takeReport(this.#ports, this.#worker, { attemptId, document: Buffer.from(document) })
  }
}
