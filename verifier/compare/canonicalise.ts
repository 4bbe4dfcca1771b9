import { Worker } from 'node:worker_threads'
import { makeWhole } from '../bytes/whole-file.ts'
import type { BlobStore } from '../model/blob-store.ts'
import type { Sha256 } from '../model/digest.ts'
import { Failure, type FailureOptions } from '../model/failure.ts'
import { IMAGE_TAR_LIMITS, type TarLimits } from '../tar/limits.ts'
import type { CanonicalFacts, CanonicalJob } from './canonical-tar.ts'

export type CanonicalTar = CanonicalFacts & {
  /** Blob of the tree manifest. */
  readonly treeManifest: Sha256
}

export type WorkerMessage =
  | { readonly kind: 'piece'; readonly bytes: Uint8Array }
  | { readonly kind: 'done'; readonly facts: CanonicalFacts }
  | { readonly kind: 'failed'; readonly failure: FailureOptions }

type CanonicaliseOptions = {
  readonly input: string
  readonly output: string | null
  readonly taken?: boolean
  readonly blobs: BlobStore
  readonly limits?: TarLimits
  readonly signal?: AbortSignal
}

/**
 * Brings an uncompressed tar file to canonical form (docs/canonical-form.md) in a thread of its own: digests of the file, of its
 * canonical form and of every content, the tree manifest as a blob, and the canonical tar at `output` (null: none), which appears whole
 * or not at all. The file must not change meanwhile; one that is `taken` may become the output instead of being copied. Rejects with
 * `tar-…` where canonical form would hide something, with `canonical-io` where reading or writing fails, and with the signal's reason.
 */
export async function canonicaliseTar(o: CanonicaliseOptions): Promise<CanonicalTar> {
  o.signal?.throwIfAborted()
  return o.output === null ? await canonicalise(o, null) : await makeWhole(o.output, (part) => canonicalise(o, part))
}

async function canonicalise(o: CanonicaliseOptions, output: string | null): Promise<CanonicalTar> {
  const job = { input: o.input, output, taken: o.taken ?? false, limits: o.limits ?? IMAGE_TAR_LIMITS }
  const worker = new CanonicalWorker(job, o.signal)
  try {
    const manifest = await o.blobs.put(worker.pieces())
    const facts = worker.facts()
    o.signal?.throwIfAborted()
    return { ...facts, treeManifest: manifest.sha256 }
  } finally {
    await worker.stop()
  }
}

/** Compiled, the thread's file has another ending; the compiler rewrites imports only. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './canonical-worker.ts' : './canonical-worker.js', import.meta.url)

/**
 * MiB. What grows with an archive is packed outside of the heap, and bounded by the parser's limits; with a bound of its own the heap is
 * kept small earlier.
 */
const HEAP = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 1024 }

class CanonicalWorker {
  readonly #worker: Worker
  readonly #queue: WorkerMessage[] = []
  readonly #signal: AbortSignal | undefined
  #facts: CanonicalFacts | undefined
  #failure: Error | undefined
  #wake: () => void = () => {}

  constructor(data: CanonicalJob, signal: AbortSignal | undefined) {
    this.#worker = new Worker(THREAD, { workerData: data, resourceLimits: HEAP })
    this.#signal = signal
    this.#worker.on('message', (message: WorkerMessage) => {
      this.#queue.push(message)
      this.#wake()
    })
    this.#worker.on('error', (cause) => this.#fail(threadDied(cause)))
    this.#worker.on('exit', () => this.#fail(threadDied(undefined)))
    signal?.addEventListener('abort', this.#abort)
    if (signal?.aborted === true) this.#abort()
  }

  async *pieces(): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      const message = this.#queue.shift()
      if (message === undefined) {
        if (this.#failure !== undefined) throw this.#failure
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      if (message.kind === 'failed') throw new Failure(message.failure)
      if (message.kind === 'done') {
        this.#facts = message.facts
        return
      }
      yield message.bytes
      this.#worker.postMessage('more')
    }
  }

  facts(): CanonicalFacts {
    if (this.#facts === undefined) throw threadDied(undefined)
    return this.#facts
  }

  async stop(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort)
    await this.#worker.terminate()
  }

  readonly #abort = (): void => this.#fail(this.#signal?.reason instanceof Error ? this.#signal.reason : new Error('aborted'))

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wake()
  }
}

function threadDied(cause: unknown): Failure {
  return new Failure({
    code: 'canonical-io',
    message: 'the thread that reads the tar ended early',
    hint: 'most often memory ran out: give the process more of it',
    audience: 'operator',
    cause,
  })
}
