import { encodeDocument } from '../../../verifier/model/document.ts'
import type { JobRun } from './run-job.ts'
import { AttemptReport, type WorkerJob } from './worker-protocol.ts'

/** The bytes of a report: a repeated one is known by their digest, so they are made once. */
export function reportDocument(
  { lease }: Pick<WorkerJob, 'lease'>,
  { attempt, treeDigest, builder, indexes }: Omit<JobRun, 'files' | typeof Symbol.asyncDispose>,
  version: string,
): string {
  const image = builder?.image
  return encodeDocument(AttemptReport, {
    schema: 'bitwitness/attempt-report/v1',
    lease,
    attempt,
    treeDigest,
    builder:
      image === undefined || builder === null
        ? null
        : { digest: image.digest, description: builder.description, mkosi: image.mkosi, architecture: image.architecture },
    indexes: [...indexes],
    tool: { name: 'bitwitness', version },
  })
}
