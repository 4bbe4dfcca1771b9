import { workerFailure } from './worker-failures.ts'

export type GivenLimits = {
  /** Of one blob. */
  readonly blobBytes: number
  /** Of all that is given under one lease. */
  readonly leaseBytes: number
}

/** Of one lease: a file each, which may be empty. A build with ten thousand packages stays far below. */
const MOST_BLOBS = 100_000

/** Leases that are remembered; the oldest is forgotten, and a worker that came back to it would begin at nothing. */
const MOST_LEASES = 10_000

/** Counts what workers hand over, so that none of them fills the disk: what it gives is kept before anybody knows what it is for. */
export class GivenBytes {
  readonly #limits: GivenLimits
  readonly #byLease = new Map<string, { readonly bytes: number; readonly blobs: number }>()

  constructor(limits: GivenLimits) {
    this.#limits = limits
  }

  /** The same bytes, counted. They end with `blob-too-large` or `blobs-too-large` where they are too many. */
  async *counted(lease: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    let size = 0
    this.#note(lease, { bytes: 0, blobs: 1 })
    for await (const part of bytes) {
      size += part.length
      if (size > this.#limits.blobBytes) throw workerFailure('blob-too-large', { limit: this.#limits.blobBytes })
      this.#note(lease, { bytes: part.length, blobs: 0 })
      yield part
    }
  }

  #note(lease: string, more: { readonly bytes: number; readonly blobs: number }): void {
    const before = this.#byLease.get(lease) ?? { bytes: 0, blobs: 0 }
    const all = { bytes: before.bytes + more.bytes, blobs: before.blobs + more.blobs }
    if (all.bytes > this.#limits.leaseBytes) throw workerFailure('blobs-too-large', { limit: this.#limits.leaseBytes })
    if (all.blobs > MOST_BLOBS) throw workerFailure('blobs-too-large', { limit: MOST_BLOBS, unit: 'blobs' })
    // The last that was spoken of is the last to be forgotten.
    this.#byLease.delete(lease)
    this.#byLease.set(lease, all)
    const [oldest] = this.#byLease.keys()
    if (this.#byLease.size > MOST_LEASES && oldest !== undefined) this.#byLease.delete(oldest)
  }
}
