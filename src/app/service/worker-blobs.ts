import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { heldLease } from './held-lease.ts'
import type { LeaseHolder } from './lease-attempt.ts'
import type { SizedBlob } from './report-bytes.ts'
import type { SpeakingWorker, WorkerPorts } from './worker-ports.ts'
import type { BlobQuestion } from './worker-protocol.ts'

/**
 * Which blobs a worker has to hand over. Those that are here stay here at least until it can have reported. Fails as `heldLease`.
 */
export async function missingBlobs(
  ports: WorkerPorts,
  worker: SpeakingWorker,
  { attemptId, question }: { readonly attemptId: string; readonly question: BlobQuestion },
): Promise<readonly Sha256[]> {
  await heldLease(ports, { attemptId, lease: question.lease, worker: worker.id })
  const digests = [...new Set(question.digests)]
  const known = await ports.unitOfWork.run(({ blobs }) => blobs.renew(digests, ports.now()))
  const missing: Sha256[] = []
  for (const sha256 of digests) if (!known.has(sha256) || (await ports.blobs.size(sha256)) === undefined) missing.push(sha256)
  return missing
}

/**
 * Takes a blob from a worker that holds an attempt, and keeps it for as long as what nobody needs is kept. Fails as `heldLease`, with
 * `blob-differs`, `blob-too-large` and `blobs-too-large`.
 */
export async function takeBlob(
  ports: WorkerPorts,
  worker: SpeakingWorker,
  o: Omit<LeaseHolder, 'worker'> & { readonly sha256: Sha256; readonly bytes: AsyncIterable<Uint8Array> },
): Promise<SizedBlob> {
  await heldLease(ports, { ...o, worker: worker.id })
  const stored = await ports.blobs.put(ports.given.counted(o.lease, o.bytes), o.sha256)
  await ports.unitOfWork.run(({ blobs }) => blobs.keep([stored], ports.now()))
  return stored
}

/** The same where the bytes are in the store already, since it is the worker's as well. */
export async function keepBlob(
  ports: WorkerPorts,
  worker: SpeakingWorker,
  { sha256, size, ...holder }: Omit<LeaseHolder, 'worker'> & SizedBlob,
): Promise<void> {
  await heldLease(ports, { ...holder, worker: worker.id })
  await ports.unitOfWork.run(({ blobs }) => blobs.keep([{ sha256, size }], ports.now()))
}

/**
 * A blob for a worker to build from: sources, locks, inputs and parts of builders, and nothing that an attempt gave. What is none of these
 * is answered like what is not there. Fails with `blob-missing`.
 */
export async function giveBlob(
  { reads, blobs }: Pick<WorkerPorts, 'reads' | 'blobs'>,
  sha256: Sha256,
): Promise<{ readonly size: number; readonly bytes: AsyncIterable<Uint8Array> }> {
  const size = (await reads.blobs.toBuildFrom(sha256)) ? await blobs.size(sha256) : undefined
  if (size !== undefined) return { size, bytes: await blobs.open(sha256) }
  throw new Failure({
    code: 'blob-missing',
    message: 'there is no such blob to build from',
    hint: 'ask for what a job names',
    data: { expected: sha256 },
  })
}
