import { createHash } from 'node:crypto'
import { dsse } from '@sigstore/core'
import { PAYLOAD_TYPE } from '../statement/predicate-types.ts'
import type { BundleShape, DsseEnvelopeShape } from './bundle-shape.ts'
import type { Checklist } from './check.ts'

/** What a signature is over. `payload` is null where bytes are signed and no statement. */
export type Signed = {
  readonly bytes: Uint8Array
  readonly signature: Buffer
  readonly payload: Uint8Array | null
  /** DSSE keyid; nothing signs it. */
  readonly keyId: string
}

/** Opens the envelope; undefined where there is not one signature to look at. `message`: the bytes, for a bundle that signs those. */
export function openEnvelope(shape: BundleShape, message: Uint8Array | undefined, checks: Checklist): Signed | undefined {
  if ('dsseEnvelope' in shape) return openDsse(shape.dsseEnvelope, checks)
  if (message === undefined) {
    checks.fail('envelope', 'bundle-without-statement')
    return undefined
  }
  checks.skip('envelope', 'bytes are signed, and no statement')
  const { messageDigest, signature } = shape.messageSignature
  const digest = createHash('sha256').update(message).digest('base64')
  if (messageDigest.algorithm !== 'SHA2_256' || messageDigest.digest !== digest) checks.fail('signature', 'signature-invalid')
  return { bytes: message, signature: Buffer.from(signature, 'base64'), payload: null, keyId: '' }
}

function openDsse({ payload, payloadType, signatures }: DsseEnvelopeShape, checks: Checklist): Signed | undefined {
  const [signature, ...others] = signatures
  if (signature === undefined || signature.sig === '') checks.fail('envelope', 'signature-missing')
  if (others.length > 0) checks.fail('envelope', 'signatures-several')
  if (payloadType !== PAYLOAD_TYPE) checks.fail('envelope', 'payload-type-wrong')
  if (signature === undefined || signature.sig === '' || others.length > 0) return undefined
  checks.pass('envelope', 'it holds one statement with one signature')
  const bytes = Buffer.from(payload, 'base64')
  return {
    // DSSE, protocol.md: the signature is over the payload and its type.
    bytes: dsse.preAuthEncoding(payloadType, bytes),
    signature: Buffer.from(signature.sig, 'base64'),
    payload: bytes,
    keyId: signature.keyid ?? '',
  }
}
