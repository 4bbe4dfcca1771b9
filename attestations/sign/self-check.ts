import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { bundleFromJSON, isBundleWithDsseEnvelope, type Bundle as SigstoreBundle } from '@sigstore/bundle'
import { dsse } from '@sigstore/core'
import { type TrustMaterial, toSignedEntity, Verifier } from '@sigstore/verify'
import { Failure } from '../../verifier/model/failure.ts'
import { BUNDLE_TYPE, PAYLOAD_TYPE } from '../statement/predicate-types.ts'

/** Authorities and logs to verify with, as `toTrustMaterial` makes them of a trusted_root.json. */
export type Trusted = Omit<TrustMaterial, 'publicKey'>

export type Made = {
  readonly statement: Uint8Array
  /** Of the key that was to sign: its own, or the certificate's. */
  readonly publicKeyPem: string
  readonly logEntries: number
  readonly timestamps: number
}

/**
 * Reads a bundle again from its text, as a verifier will, and holds it against what was to be made: version 0.3, the exact statement bytes,
 * one signature without a keyid that verifies with the signer's key, and as many log entries and timestamps as were asked for. A bundle
 * that fails here is a defect of ours (`bundle-self-check`) and goes nowhere.
 */
export function checkBundle(text: string, made: Made): void {
  let right = false
  try {
    right = isAsMade(bundleFromJSON(JSON.parse(text)), made)
  } catch {
    // What could not be read is not right either; the library's words about it may repeat it.
  }
  if (!right)
    throw new Failure({
      code: 'bundle-self-check',
      message: 'the bundle that was made does not verify as it should',
      hint: 'this is a defect: report it; nothing was given out',
      audience: 'operator',
    })
}

function isAsMade(bundle: SigstoreBundle, made: Made): boolean {
  if (!isBundleWithDsseEnvelope(bundle) || bundle.mediaType !== BUNDLE_TYPE) return false
  // Of more or fewer signatures than one the library makes no bundle.
  const { payloadType, payload, signatures } = bundle.content.dsseEnvelope
  const [signature] = signatures
  if (payloadType !== PAYLOAD_TYPE || !payload.equals(made.statement) || signature === undefined) return false
  const { content, tlogEntries, timestampVerificationData } = bundle.verificationMaterial
  const key = createPublicKey(made.publicKeyPem)
  const sameKey =
    content.$case === 'publicKey' ||
    (content.$case === 'certificate' && new X509Certificate(content.certificate.rawBytes).publicKey.equals(key))
  return (
    sameKey &&
    signature.keyid === '' &&
    verify('sha256', dsse.preAuthEncoding(payloadType, payload), key, signature.sig) &&
    tlogEntries.length === made.logEntries &&
    (timestampVerificationData?.rfc3161Timestamps ?? []).length === made.timestamps
  )
}

/**
 * Verifies a bundle against a trust root, whole: chain and SCT of the certificate, inclusion in the log, the timestamps. Of a bundle signed
 * with `key` (PEM), which is in no log of ours, only the timestamps. Failure: `bundle-not-trusted`.
 */
export function checkTrust(text: string, trusted: Trusted, key: string | null): void {
  const publicKey = (): ReturnType<TrustMaterial['publicKey']> => ({ publicKey: createPublicKey(key ?? ''), validFor: () => true })
  try {
    const material = { ...trusted, publicKey }
    const thresholds = key === null ? {} : { tlogThreshold: 0 }
    // A root without CT logs is of servers that have none.
    const ctlogs = trusted.ctlogs.length === 0 ? { ctlogThreshold: 0 } : {}
    new Verifier(material, { ...thresholds, ...ctlogs }).verify(toSignedEntity(bundleFromJSON(JSON.parse(text))))
  } catch {
    throw new Failure({
      code: 'bundle-not-trusted',
      message: 'what Fulcio, Rekor or the timestamp authority gave does not verify with the trusted root',
      hint: 'check that BITWITNESS_TRUSTED_ROOT is the root of these servers and is up to date; nothing was given out',
      audience: 'operator',
    })
  }
}
