import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { Reads } from '../store/store-ports.ts'
import { heldLease } from './held-lease.ts'
import type { LeaseHolder } from './lease-attempt.ts'
import type { SizedBlob } from './report-bytes.ts'
import type { SpeakingWorker, WorkerPorts } from './worker-ports.ts'
import type { BlobQuestion } from './worker-protocol.ts'

type Lease = Pick<LeaseHolder, 'attemptId' | 'lease'>

/**
 * Which of these a worker need not hand over: what is known to be built from, whoever brought it, and what it handed over under this lease.
 * Anything else that is here is somebody else's, and a digest does not prove that a worker has the bytes.
 */
export async function blobsAtHand(
  { blobs, handedBlobs }: Pick<Reads, 'blobs' | 'handedBlobs'>,
  { attemptId, lease }: Lease,
  digests: readonly Sha256[],
): Promise<ReadonlySet<Sha256>> {
  const common = await blobs.toBuildFrom(digests)
  const rest = digests.filter((sha256) => !common.has(sha256))
  return rest.length === 0 ? common : new Set([...common, ...(await handedBlobs.among({ attemptId, lease, digests: rest }))])
}

/**
 * Which blobs a worker has to hand over. The others stay here at least until it can have reported. Fails as `heldLease`.
 */
export async function missingBlobs(
  ports: WorkerPorts,
  worker: SpeakingWorker,
  { attemptId, question }: { readonly attemptId: string; readonly question: BlobQuestion },
): Promise<readonly Sha256[]> {
  const { lease } = question
  await heldLease(ports, { attemptId, lease, worker: worker.id })
  const digests = [...new Set(question.digests)]
  const known = await ports.unitOfWork.run(({ blobs }) => blobs.renew(digests, ports.now()))
  const atHand = await blobsAtHand(ports.reads, { attemptId, lease }, digests)
  const missing: Sha256[] = []
  for (const sha256 of digests)
    if (!known.has(sha256) || !atHand.has(sha256) || (await ports.blobs.size(sha256)) === undefined) missing.push(sha256)
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
  await noteHanded(ports, o, stored)
  return stored
}

/** The same where the bytes are in the store already, since it is the worker's as well. */
export async function keepBlob(
  ports: WorkerPorts,
  worker: SpeakingWorker,
  { sha256, size, ...lease }: Omit<LeaseHolder, 'worker'> & SizedBlob,
): Promise<void> {
  await heldLease(ports, { ...lease, worker: worker.id })
  await noteHanded(ports, lease, { sha256, size })
}

async function noteHanded({ unitOfWork, now }: WorkerPorts, { attemptId, lease }: Lease, blob: SizedBlob): Promise<void> {
  await unitOfWork.run(async ({ blobs, handedBlobs }) => {
    await blobs.keep([blob], now())
    await handedBlobs.add({ attemptId, lease, sha256: blob.sha256 })
  })
}

/**
 * A blob for a worker to build from: sources, locks, inputs and parts of builders, and nothing that an attempt gave. What is none of these
 * is answered like what is not there. Fails with `blob-missing`.
 */
export async function giveBlob(
  { reads, blobs }: Pick<WorkerPorts, 'reads' | 'blobs'>,
  sha256: Sha256,
): Promise<{ readonly size: number; readonly bytes: AsyncIterable<Uint8Array> }> {
  const size = (await reads.blobs.toBuildFrom([sha256])).has(sha256) ? await blobs.size(sha256) : undefined
  if (size !== undefined) return { size, bytes: await blobs.open(sha256) }
  throw new Failure({
    code: 'blob-missing',
    message: 'there is no such blob to build from',
    hint: 'ask for what a job names',
    data: { expected: sha256 },
  })
}
