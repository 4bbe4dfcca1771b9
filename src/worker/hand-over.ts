import { createReadStream } from 'node:fs'
import { readBlob } from '../../verifier/builder/image-archive.ts'
import { partsOfBuilder } from '../../verifier/builder/image-check.ts'
import { parseLock } from '../../verifier/builder/inputs/parse-lock.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { Coordinator } from '../app/service/coordinator.ts'
import type { JobRun } from '../app/service/run-job.ts'
import { MAX_DIGESTS_PER_QUESTION, type WorkerJob } from '../app/service/worker-protocol.ts'

type Handed = { readonly sha256: Sha256; readonly size: number; readonly bytes: () => AsyncIterable<Uint8Array> }

/** Side by side: most of them are small packages, of which each alone would wait for an answer. */
const HANDS = 4

/**
 * Gives the coordinator what a run names and it lacks, the bytes of artifacts last. What arrived is not sent again, whatever broke off:
 * what is missing is asked each time.
 */
export async function handOver(o: {
  readonly coordinator: Coordinator
  readonly blobs: BlobStore
  readonly job: WorkerJob
  readonly run: JobRun
  readonly signal: AbortSignal
  /** Told of a blob that did not get through although the coordinator had just answered. */
  readonly onBroken?: (error: unknown) => void
}): Promise<void> {
  const { coordinator, job, signal } = o
  const named = new Map((await namedBy(o.run, o.blobs)).map((one) => [one.sha256, one]))
  const digests = [...named.keys()]
  const queue: Handed[] = []
  for (let from = 0; from < digests.length; from += MAX_DIGESTS_PER_QUESTION) {
    const some = digests.slice(from, from + MAX_DIGESTS_PER_QUESTION)
    const question = { schema: 'bitwitness/worker-blobs/v1', lease: job.lease, digests: some } as const
    for (const sha256 of await coordinator.missing(job.attempt.id, question)) {
      const one = named.get(sha256)
      if (one !== undefined) queue.push(one)
    }
  }
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const give = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined && !either.aborted; one = queue.shift())
      await coordinator.give({ ...one, attemptId: job.attempt.id, lease: job.lease, signal: either })
  }
  const hands = Array.from({ length: HANDS }, () =>
    give().catch((error: unknown) => {
      if (!either.aborted) o.onBroken?.(error)
      stop.abort()
      throw error
    }),
  )
  const ended = await Promise.allSettled(hands)
  signal.throwIfAborted()
  // What the others met is that they were stopped.
  const first =
    ended.find((one) => one.status === 'rejected' && one.reason instanceof Failure) ?? ended.find(({ status }) => status === 'rejected')
  if (first?.status === 'rejected') throw first.reason
}

/** In the order in which they are given. */
async function namedBy(run: JobRun, blobs: BlobStore): Promise<readonly Handed[]> {
  const { attempt, builder, files } = run
  const stored = async (sha256: Sha256): Promise<Handed> => {
    const size = await blobs.size(sha256)
    if (size === undefined)
      throw new Failure({
        code: 'blob-missing',
        message: `blob ${sha256} is not in the store`,
        hint: 'look at the disk of the worker: something took it away',
        data: { expected: sha256 },
      })
    return { sha256, size, bytes: () => opened(blobs, sha256) }
  }
  const digests = new Set<Sha256>()
  for (const sha256 of [attempt.log, attempt.lock]) if (sha256 !== null) digests.add(sha256)
  if (attempt.lock !== null)
    for (const { sha256 } of parseLock((await readBlob(blobs, attempt.lock)).toString('utf8')).inputs) digests.add(sha256)
  for (const { treeManifest } of attempt.artifacts) if (treeManifest !== null) digests.add(treeManifest)
  if (builder !== null) for (const sha256 of [builder.description, ...partsOfBuilder(builder.image)]) digests.add(sha256)
  const artifacts = attempt.artifacts.flatMap(({ name, format, sha256, size }) => {
    const file = files.get(name)
    // The bytes at hand of an image layout are its layer's, by which nobody asks.
    return file === undefined || format === 'oci' ? [] : [{ sha256, size, bytes: () => createReadStream(file, { highWaterMark: 1 << 20 }) }]
  })
  return [...(await Promise.all([...digests].map(stored))), ...artifacts]
}

async function* opened(blobs: BlobStore, sha256: Sha256): AsyncGenerator<Uint8Array, void, void> {
  yield* await blobs.open(sha256)
}
