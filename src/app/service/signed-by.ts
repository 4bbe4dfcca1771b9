import { certifiedIn } from '../../../attestations/sign/bundle-parts.ts'
import type { StatementSigner } from '../../../attestations/sign/statement-signer.ts'

/** Who signed a bundle, in one line: `key SHA-256 of its SPKI`, or the name in the certificate and who vouches for it. */
export async function signedBy(signer: StatementSigner, bundle: string, signal: AbortSignal): Promise<string> {
  const certified = certifiedIn(bundle)
  if (certified !== undefined) return `${certified.subjectAlternativeName} by ${certified.issuer}`
  const identity = await signer.identity(signal)
  if (identity.kind === 'sigstore') throw new TypeError('a bundle without its certificate')
  return `key sha256:${identity.fingerprint}`
}
