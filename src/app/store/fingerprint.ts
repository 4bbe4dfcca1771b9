import { createHash } from 'node:crypto'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { sha256Of } from '../../../verifier/model/hex-digest.ts'
import type { Submission } from './records.ts'

/**
 * What makes two submissions the same: owner, source, claims, lock, inputs, builder and the number of attempts. Where it is answered, and
 * whether an older answer would do, are not part of it.
 * JSON of one fixed order; a text in JSON cannot end early, so no two submissions share it.
 */
export function fingerprintOf(submission: Submission): Sha256 {
  const { ownerId, source, upload, claims, lock, inputs, builder, attempts } = submission
  const named = source.kind === 'git' ? ['git', source.url, source.commit, source.path] : ['archive', source.name, source.path]
  const claimed = claims.map(({ kind, name, sha256, location }) => [kind, name, sha256, location])
  return sha256Of(createHash('sha256').update(JSON.stringify([ownerId, named, upload, claimed, lock, inputs, builder, attempts])))
}
