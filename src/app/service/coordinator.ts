import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { BlobQuestion, EventBatch, Heartbeat, HeartbeatAnswer, ReportAnswer, WorkerClaim, WorkerJob } from './worker-protocol.ts'

/** A blob of a worker's, from its store or, for an artifact, from a file. */
export type GivenBlob = {
  readonly attemptId: string
  readonly lease: string
  readonly sha256: Sha256
  readonly size: number
  readonly bytes: () => AsyncIterable<Uint8Array>
  readonly signal: AbortSignal
}

/**
 * The coordinator as a worker sees it: over HTTP with the worker's key, or within one process. Failures carry the coordinator's code;
 * `lease-not-yours`, `lease-expired`, `attempt-committed` and `verification-over` tell a worker to let go of the attempt.
 */
export interface Coordinator {
  /** The next attempt; undefined where there was none for as long as was waited. */
  claim(claim: WorkerClaim, signal: AbortSignal): Promise<WorkerJob | undefined>
  heartbeat(attemptId: string, beat: Heartbeat): Promise<HeartbeatAnswer>
  events(attemptId: string, batch: EventBatch): Promise<void>
  missing(attemptId: string, question: BlobQuestion): Promise<readonly Sha256[]>
  /** Makes sure that blobs of the coordinator are in the worker's own store. Fails with `blob-missing` or `blob-differs`. */
  fetch(digests: readonly Sha256[], into: BlobStore, signal: AbortSignal): Promise<void>
  /** Hands a blob of the worker's over. Again is harmless. */
  give(blob: GivenBlob): Promise<void>
  /** `document` is the encoded AttemptReport: its digest is what a repeated report is known by. */
  report(attemptId: string, document: string): Promise<ReportAnswer>
}
