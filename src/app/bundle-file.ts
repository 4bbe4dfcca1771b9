import { z } from 'zod'
import { decodeStatement } from '../../attestations/statement/decode.ts'
import { BUNDLE_TYPE, PAYLOAD_TYPE } from '../../attestations/statement/predicate-types.ts'
import { readNamedFile } from '../../verifier/bytes/named-file.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { BUNDLE_LIMITS } from './attached-bundles.ts'

export type BundleFile = { readonly bytes: Uint8Array; readonly predicateType: string; readonly subjects: readonly Sha256[] }

/** As far as it takes to say what a bundle is about. */
const Bundle = z.looseObject({
  mediaType: z.literal(BUNDLE_TYPE),
  dsseEnvelope: z.looseObject({ payloadType: z.literal(PAYLOAD_TYPE), payload: z.base64() }),
})

/**
 * Reads a bundle and what its statement says it is about. The signature is not verified here: that is for whoever relies on it. Rejects with
 * `file-unreadable`, `bundle-unsupported`, and as `decodeStatement` does.
 */
export async function readBundleFile(file: string): Promise<BundleFile> {
  const bytes = await readNamedFile(file, { what: 'a bundle', maxBytes: BUNDLE_LIMITS.bytes })
  const parsed = Bundle.safeParse(parseStrictJson(bytes))
  if (!parsed.success)
    throw new Failure({
      code: 'bundle-unsupported',
      message: 'the file is no Sigstore bundle of version 0.3 with an in-toto statement in it',
      hint: 'give a bundle that attest wrote',
    })
  const { subject, predicateType } = decodeStatement(Buffer.from(parsed.data.dsseEnvelope.payload, 'base64'))
  return { bytes, predicateType, subjects: subject.map(({ digest }) => digest.sha256) }
}
