import { createHash } from 'node:crypto'
import { dsse } from '@sigstore/core'
import type { SignatureBundle } from '@sigstore/sign'

type Envelope = Extract<SignatureBundle, { $case: 'dsseEnvelope' }>['dsseEnvelope']

/** The envelope that a witness is shown. We sign nothing else, and one signature on it. */
export function envelopeOf(content: SignatureBundle): Envelope {
  if (content.$case !== 'dsseEnvelope' || content.dsseEnvelope.signatures.length !== 1) throw new TypeError('not an envelope of ours')
  return content.dsseEnvelope
}

export function signatureOf(content: SignatureBundle): Buffer {
  return envelopeOf(content).signatures[0]?.sig ?? Buffer.alloc(0)
}

/** SHA-256 of the bytes that the signature is over: DSSE's pre-authentication encoding. */
export function signedDigest({ payloadType, payload }: Envelope): Buffer {
  return createHash('sha256').update(dsse.preAuthEncoding(payloadType, payload)).digest()
}
