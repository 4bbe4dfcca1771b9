import { type CertifiedIdentity, identityOfCertificate } from './certificate-identity.ts'

/** The parts of a bundle that our signers made, as far as they are looked at again. */
type Made = {
  readonly verificationMaterial: { readonly certificate?: { readonly rawBytes: string } }
  readonly dsseEnvelope: {
    readonly payload: string
    readonly payloadType: string
    readonly signatures: readonly [{ readonly sig: string }]
  }
}

/**
 * The envelope of a bundle that one of our signers made, alone: DSSE in JSON, for tools that read no bundles. It has lost what a bundle has
 * beside it: certificate, timestamps and log entries.
 */
export function bareEnvelope(bundle: string): string {
  const { payload, payloadType, signatures } = (JSON.parse(bundle) as Made).dsseEnvelope
  return JSON.stringify({ payloadType, payload, signatures: signatures.map(({ sig }) => ({ keyid: '', sig })) })
}

/** Whom the certificate of a bundle that one of our signers made is for; undefined for one that a key signed. */
export function certifiedIn(bundle: string): CertifiedIdentity | undefined {
  const { certificate } = (JSON.parse(bundle) as Made).verificationMaterial
  return certificate === undefined ? undefined : identityOfCertificate(Buffer.from(certificate.rawBytes, 'base64'))
}
