import type { BuilderImage } from '../../../verifier/builder/image-description.ts'
import type { Attempt } from '../../../verifier/model/attempt.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { EmitEvent } from '../../../verifier/model/event.ts'
import type { SignedIndex } from '../../../verifier/model/lock.ts'
import type { Coordinator } from './coordinator.ts'
import type { WorkerJob } from './worker-protocol.ts'

/**
 * What came of one attempt. Every blob that it names is in the worker's own store; bytes of artifacts lie in files until it is disposed
 * of.
 */
export interface JobRun extends AsyncDisposable {
  readonly attempt: Attempt
  /** Of the source as it was pinned here; null where it did not get so far. */
  readonly treeDigest: Sha256 | null
  /** What it was made in, and the blob of its description; null where it did not get so far. */
  readonly builder: { readonly image: BuilderImage; readonly description: Sha256 } | null
  readonly indexes: readonly SignedIndex[]
  /** Path of each artifact's bytes, by its name. */
  readonly files: ReadonlyMap<string, string>
}

export type JobContext = {
  readonly coordinator: Pick<Coordinator, 'missing' | 'fetch'>
  readonly emit: EmitEvent
  /** Aborted, the attempt ends as `cancelled`. */
  readonly signal: AbortSignal
}

/** Runs one attempt. Whatever goes wrong is an outcome; it rejects only where not even that can be stored. */
export type RunJob = (job: WorkerJob, context: JobContext) => Promise<JobRun>
