import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { Attestation, BlobRole } from '../store/records.ts'
import type { ReadPorts } from './read-verifications.ts'

/** Fails with `attestation-unknown`. */
export async function readAttestation({ reads }: ReadPorts, id: string): Promise<Attestation> {
  const attestation = await reads.attestations.read(id)
  if (attestation !== undefined) return attestation
  throw new Failure({ code: 'attestation-unknown', message: 'there is no such attestation', hint: 'check its id' })
}

export type ShownBlob = { readonly sha256: Sha256; readonly size: number; readonly role: BlobRole }

/** A blob that anybody may read. Fails with `blob-unknown` alike where there is none and where it is not shown: which, is nobody's to know. */
export async function findShownBlob({ reads, blobs }: ReadPorts & { readonly blobs: BlobStore }, sha256: Sha256): Promise<ShownBlob> {
  const role = await reads.blobs.shownAs(sha256)
  const size = role === undefined ? undefined : await blobs.size(sha256)
  if (role !== undefined && size !== undefined) return { sha256, size, role }
  throw new Failure({
    code: 'blob-unknown',
    message: 'there is no blob of this digest that anybody may read',
    hint: 'take the digest from a verification; what belongs to one is shown once all its attempts are committed',
  })
}
