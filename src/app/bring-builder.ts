import { readBlob } from '../../verifier/builder/image-archive.ts'
import { describedBuilder, partsOfBuilder, storedBuilder } from '../../verifier/builder/image-check.ts'
import type { BuilderImage } from '../../verifier/builder/image-description.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { EmitEvent } from '../../verifier/model/event.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { ReadyBuilder } from './ports.ts'
import type { JobContext } from './service/run-job.ts'
import type { WorkerJob } from './service/worker-protocol.ts'

export type BuilderPorts = {
  readonly blobs: BlobStore
  /** The builder of this digest, where it is here. */
  readonly findBuilder: (digest: Sha256) => Promise<BuilderImage | undefined>
  /** Keeps a builder that came from elsewhere, all parts of which are here: it builds only where it is named. */
  readonly keepBuilder: (image: BuilderImage) => Promise<void>
  /** The one that is taken where none is named, made where there is none yet. */
  readonly defaultBuilder: (emit: EmitEvent, signal: AbortSignal) => Promise<BuilderImage>
  /** Makes sure that the engine holds it. */
  readonly readyBuilder: (image: BuilderImage, signal: AbortSignal) => Promise<ReadyBuilder>
}

/**
 * The builder of a job, ready. What is not here is taken from the coordinator and held against its digests; which builders count is for a
 * policy to say. Fails with `builder-not-given`, `builder-unbelievable` and as the coordinator, the engine and the making of a builder do.
 */
export async function bringBuilder(
  ports: BuilderPorts,
  { builder: wanted }: Pick<WorkerJob, 'builder'>,
  context: JobContext,
): Promise<{ readonly image: BuilderImage; readonly ready: ReadyBuilder }> {
  const { emit, signal } = context
  const image = wanted === null ? await ports.defaultBuilder(emit, signal) : await named(ports, wanted, context)
  return { image, ready: await ports.readyBuilder(image, signal) }
}

async function named(
  { blobs, findBuilder, keepBuilder }: BuilderPorts,
  { digest, description }: NonNullable<WorkerJob['builder']>,
  { coordinator, signal }: JobContext,
): Promise<BuilderImage> {
  const known = await findBuilder(digest)
  if (known !== undefined) return known
  if (description === null) throw notGiven()
  await coordinator.fetch([description], blobs, signal)
  const described = describedBuilder(await readBlob(blobs, description))
  if (described?.digest !== digest) throw notGiven()
  await coordinator.fetch(partsOfBuilder(described), blobs, signal)
  const image = await storedBuilder(description, blobs)
  await keepBuilder(image)
  return image
}

function notGiven(): Failure {
  return new Failure({
    code: 'builder-not-given',
    message: 'the builder of the job is not here, and the coordinator does not give it',
    hint: 'bring it to the worker: bitwitness builder export where it is, bitwitness builder import here',
  })
}
