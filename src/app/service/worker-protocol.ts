import { z } from 'zod'
import { Attempt, OutcomeReason } from '../../../verifier/model/attempt.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { AttemptEvent } from '../../../verifier/model/event.ts'
import { SignedIndex } from '../../../verifier/model/lock.ts'
import { PinnedSource } from '../../../verifier/model/source.ts'
import { WorkerCapabilities } from '../store/records.ts'

/**
 * What a worker and its coordinator say to each other, over HTTP or within a process. Each document carries its schema, so that an older
 * program is refused by a code and not by chance. No document to a worker carries a claim (DESIGN §5.1).
 */
const Id = z.uuid()
/** Seconds that a claim waits at most before it is answered with nothing. */
export const MAX_WAIT_SECONDS = 30
/** How often a worker says within a lease that it is still there: some of that may get lost. */
export const BEATS_PER_LEASE = 6
export const MAX_EVENTS_PER_BATCH = 500
export const MAX_DIGESTS_PER_QUESTION = 5000
/** Largest document of the protocol; a report with a thousand artifacts is far below. */
export const MAX_PROTOCOL_BYTES = 8 << 20

export const WorkerClaim = z.strictObject({
  schema: z.literal('bitwitness/worker-claim/v1'),
  capabilities: WorkerCapabilities,
  waitSeconds: z.int().min(0).max(MAX_WAIT_SECONDS),
})
export type WorkerClaim = z.infer<typeof WorkerClaim>

/** One attempt to run. All that it needs are blobs: source, lock and the inputs that the lock names, builder and its parts. */
export const WorkerJob = z.strictObject({
  schema: z.literal('bitwitness/worker-job/v1'),
  attempt: z.strictObject({
    id: Id,
    verificationId: Id,
    number: z.int().min(1).max(9),
    mode: z.enum(['live', 'replay']),
  }),
  lease: Id,
  expiresAt: z.iso.datetime(),
  heartbeatSeconds: z.int().positive(),
  source: z.strictObject({ pinned: PinnedSource, tar: Sha256 }),
  /** What a replay is a replay of. */
  lock: Sha256.nullable(),
  /** The builder to build in, and the blob of its description, null where only the worker may have it; null: the worker's default one. */
  builder: z.strictObject({ digest: Sha256, description: Sha256.nullable() }).nullable(),
  /** Earlier tries that the infrastructure ended. */
  retried: z.array(OutcomeReason),
})
export type WorkerJob = z.infer<typeof WorkerJob>

export const Heartbeat = z.strictObject({ schema: z.literal('bitwitness/worker-heartbeat/v1'), lease: Id })
export type Heartbeat = z.infer<typeof Heartbeat>
export const HeartbeatAnswer = z.strictObject({ expiresAt: z.iso.datetime() })
export type HeartbeatAnswer = z.infer<typeof HeartbeatAnswer>

/** What happened meanwhile, in order; numbers are the worker's own, and a batch that is sent again is known by the first of them. */
export const EventBatch = z.strictObject({
  schema: z.literal('bitwitness/worker-events/v1'),
  lease: Id,
  events: z.array(AttemptEvent).min(1).max(MAX_EVENTS_PER_BATCH),
})
export type EventBatch = z.infer<typeof EventBatch>

/** Which of these blobs the coordinator lacks. */
export const BlobQuestion = z.strictObject({
  schema: z.literal('bitwitness/worker-blobs/v1'),
  lease: Id,
  digests: z.array(Sha256).min(1).max(MAX_DIGESTS_PER_QUESTION),
})
export type BlobQuestion = z.infer<typeof BlobQuestion>
export const BlobAnswer = z.strictObject({ missing: z.array(Sha256) })
export type BlobAnswer = z.infer<typeof BlobAnswer>

/** What came of the attempt. Every blob that it names is at the coordinator by then. */
export const AttemptReport = z.strictObject({
  schema: z.literal('bitwitness/attempt-report/v1'),
  lease: Id,
  attempt: Attempt,
  /** Of the source as the worker pinned it; null where it did not get so far. */
  treeDigest: Sha256.nullable(),
  /** Null where none was reached. `description` is the blob of its description. */
  builder: z.strictObject({ digest: Sha256, description: Sha256, mkosi: z.string().max(32), architecture: z.string().max(32) }).nullable(),
  indexes: z.array(SignedIndex).max(1000),
  tool: z.strictObject({ name: z.literal('bitwitness'), version: z.string().max(64) }),
})
export type AttemptReport = z.infer<typeof AttemptReport>
export const ReportAnswer = z.strictObject({ state: z.enum(['committed', 'queued']) })
export type ReportAnswer = z.infer<typeof ReportAnswer>
