import { verify } from 'node:crypto'
import type { BundleShape } from './bundle-shape.ts'
import { readCertificate, type SigningCertificate } from './certificate.ts'
import type { Checklist } from './check.ts'
import type { Signed } from './envelope.ts'
import { type KnownKey, knownKey } from './key-names.ts'
import { nameMatches } from './name-match.ts'
import type { RequiredSigner } from './policy.ts'

/** The key that a bundle is checked with: of its certificate, or one that was configured. */
export type BundleSigner = KnownKey & { readonly certificate: SigningCertificate | null }

/** Finds the key and holds its owner against the policy; undefined where there is none to check with. */
export function findSigner(o: {
  readonly shape: BundleShape
  readonly signed: Signed
  readonly required: RequiredSigner
  readonly keys: readonly KnownKey[]
  readonly checks: Checklist
}): BundleSigner | undefined {
  const { checks, required } = o
  const material = o.shape.verificationMaterial
  if ('publicKey' in material !== (required.kind === 'key')) {
    checks.fail('signer', 'signer-kind-wrong')
    return undefined
  }
  const signer = 'publicKey' in material ? keyOf(material.publicKey.hint ?? '', o) : certificateOf(material, required, checks)
  if (signer === undefined) return undefined
  if (o.signed.keyId !== '' && !signer.names.has(o.signed.keyId)) checks.fail('envelope', 'key-id-wrong')
  checks.pass('signer', signer.certificate === null ? 'it names a key that was given' : 'it is for who was asked for')
  return signer
}

/** The hint is whatever its maker wrote: it can choose among configured keys, and does nothing else. */
function keyOf(
  hint: string,
  o: { readonly signed: Signed; readonly keys: readonly KnownKey[]; readonly checks: Checklist },
): BundleSigner | undefined {
  const { keys, signed, checks } = o
  const only = hint === '' && keys.length === 1 ? keys[0] : undefined
  const key = only ?? keys.find(({ names }) => names.has(hint)) ?? keys.find((one) => signatureHolds(signed, one))
  if (key === undefined) {
    checks.fail('signer', 'key-unknown')
    return undefined
  }
  if (hint !== '' && !key.names.has(hint)) checks.fail('signer', 'key-hint-unknown')
  return { ...key, certificate: null }
}

function certificateOf(
  material: Exclude<BundleShape['verificationMaterial'], { publicKey: unknown }>,
  required: RequiredSigner,
  checks: Checklist,
): BundleSigner | undefined {
  const { rawBytes = '' } = ('certificate' in material ? material.certificate : material.x509CertificateChain.certificates[0]) ?? {}
  const certificate = readCertificate(Buffer.from(rawBytes, 'base64'))
  if (typeof certificate === 'string') {
    checks.fail('certificate', certificate)
    return undefined
  }
  if (required.kind === 'certificate') {
    if (!nameMatches(required.subjectAlternativeName, certificate.subjectAlternativeName)) checks.fail('signer', 'identity-mismatch')
    if (required.issuer !== certificate.issuer) checks.fail('signer', 'issuer-mismatch')
  }
  return { ...knownKey(certificate.key), certificate }
}

/** Whether a key made the signature. The library looks again; this one says which of several keys it was, and what is wrong if none. */
export function signatureHolds({ bytes, signature }: Signed, { key }: KnownKey): boolean {
  try {
    return verify('sha256', bytes, key, signature)
  } catch {
    // What is no signature at all.
    return false
  }
}
