import type { SubmissionRequest } from '../../src/app/service/api-documents.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { PlannedSubmission } from './submission-plan.ts'

/** What is uploaded and asked for. */
export type Published = {
  readonly uploads: readonly { readonly sha256: Sha256; readonly bytes: Uint8Array }[]
  readonly request: SubmissionRequest
}

export type Made = {
  readonly archive: Buffer
  /** Of what is built from it; undefined where nothing is. */
  readonly built: Sha256 | undefined
  /** An inputs archive of the publisher's. */
  readonly inputs: Buffer | undefined
}

/** What a submission of this character says of what its publisher made. */
export function publishedOf(planned: PlannedSubmission, callback: string, { archive, built, inputs }: Made): Published {
  const { character, number, attempts } = planned
  const claim = (sha256: Sha256) => ({ kind: 'file', name: null, sha256, location: null }) as const
  const wrong = claim(digestOf(`never built ${number}`))
  const right = built === undefined ? wrong : claim(built)
  const uploads = inputs === undefined ? [archive] : [archive, inputs]
  return {
    uploads: uploads.map((bytes) => ({ sha256: digestOf(bytes), bytes })),
    request: {
      source: {
        kind: 'archive',
        sha256: digestOf(archive),
        name: `app-${number}.tar`,
        path: character === 'unpinnable' ? 'nowhere' : '.',
      },
      claims: character === 'mismatch' ? [wrong] : character === 'partly' ? [right, wrong] : [right],
      lock: null,
      inputs: inputs === undefined ? null : digestOf(inputs),
      builder: null,
      attempts,
      maxAge: null,
      callback: planned.callback ? callback : null,
    },
  }
}
