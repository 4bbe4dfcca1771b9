import { X509Certificate } from 'node:crypto'
import type { VerificationMaterial, Witness } from '@sigstore/sign'
import { z } from 'zod'
import { askService, Base64, below, Count, readJson } from './ask-service.ts'
import { envelopeOf, signatureOf, signedDigest } from './envelope-content.ts'
import type { RekorOptions } from './rekor-v1.ts'
import { serviceFailure } from './service-failure.ts'

type LogEntry = NonNullable<VerificationMaterial['tlogEntries']>[number]

const KIND = { kind: 'hashedrekord', version: '0.0.2' } as const
const KEY_DETAILS = 'PKIX_ECDSA_P256_SHA_256'

/** TransparencyLogEntry in protobuf's JSON, which leaves zeros and empty lists out. */
const Reply = z.looseObject({
  logIndex: Count.default('0'),
  logId: z.looseObject({ keyId: Base64 }),
  kindVersion: z.looseObject({ kind: z.literal(KIND.kind), version: z.literal(KIND.version) }),
  inclusionProof: z.looseObject({
    logIndex: Count.default('0'),
    rootHash: Base64,
    treeSize: Count,
    hashes: z.array(Base64).max(64).default([]),
    checkpoint: z.looseObject({ envelope: z.string().max(65_536) }),
  }),
  canonicalizedBody: Base64,
})

const Body = z.looseObject({
  kind: z.literal(KIND.kind),
  apiVersion: z.literal(KIND.version),
  spec: z.looseObject({
    hashedRekordV002: z.looseObject({
      data: z.looseObject({ algorithm: z.literal('SHA2_256'), digest: Base64 }),
      signature: z.looseObject({
        content: Base64,
        verifier: z.looseObject({ x509Certificate: z.looseObject({ rawBytes: Base64 }) }),
      }),
    }),
  }),
})

/**
 * A witness that logs an envelope that a certificate's key signed in Rekor v2 (`POST api/v2/log/entries`). Since May 2026 its servers take
 * an envelope as a `hashedrekord` over the hash of the pre-authentication encoding, which the library's own witness does not send. An entry
 * of v2 carries no time, so that it needs a timestamp beside it. One that is there already cannot be had: `rekor-failed`, and signing anew
 * helps. What is checked of the entry, and what is not, is as with Rekor v1.
 */
export function rekorV2Witness(o: Omit<RekorOptions, 'validity'>): Witness {
  return {
    async testify(content, pem) {
      const digest = signedDigest(envelopeOf(content))
      const signature = signatureOf(content)
      const certificate = new X509Certificate(pem).raw
      const request = {
        hashedRekordRequestV002: {
          digest: digest.toString('base64'),
          signature: {
            content: signature.toString('base64'),
            verifier: { x509Certificate: { rawBytes: certificate.toString('base64') }, keyDetails: KEY_DETAILS },
          },
        },
      }
      const { status, body } = await askService(
        'rekor',
        {
          url: below(o.rekor, 'api/v2/log/entries'),
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body: JSON.stringify(request),
          patience: o.patience,
          signal: o.signal,
        },
        [200, 201, 409],
      )
      // It has the entry, from a request whose answer was lost, and gives it to nobody again: only another signature gets another one.
      if (status === 409) throw serviceFailure('rekor', 'failed', { status })
      const entry = readJson('rekor', Reply, body)
      const logged = readJson('rekor', Body, entry.canonicalizedBody).spec.hashedRekordV002
      const ours =
        logged.data.digest.equals(digest) &&
        logged.signature.content.equals(signature) &&
        logged.signature.verifier.x509Certificate.rawBytes.equals(certificate)
      if (!ours) throw serviceFailure('rekor', 'wrong')
      return { tlogEntries: [toLogEntry(entry)] }
    },
  }
}

function toLogEntry({ logIndex, logId, inclusionProof, canonicalizedBody }: z.infer<typeof Reply>): LogEntry {
  const { rootHash, treeSize, hashes, checkpoint } = inclusionProof
  return {
    logIndex,
    logId: { keyId: logId.keyId },
    kindVersion: KIND,
    integratedTime: '0',
    inclusionPromise: undefined,
    inclusionProof: { logIndex: inclusionProof.logIndex, rootHash, treeSize, hashes, checkpoint: { envelope: checkpoint.envelope } },
    canonicalizedBody,
  }
}
