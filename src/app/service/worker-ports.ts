import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Worker } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import type { GivenBytes } from './given-bytes.ts'
import type { JobDesk } from './job-desk.ts'

/** What the use cases of workers need. */
export type WorkerPorts = ServicePorts & {
  readonly reads: Reads
  readonly blobs: BlobStore
  readonly desk: JobDesk
  readonly given: GivenBytes
}

/** Who speaks, as authenticated for this request, and what was noted of it last, where that was read. */
export type SpeakingWorker = Pick<Worker, 'id' | 'place'> & Partial<Pick<Worker, 'capabilities' | 'lastSeenAt'>>
