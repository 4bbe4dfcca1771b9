import type { Sha256 } from '../../verifier/model/digest.ts'

export type CosignCheck = {
  /** Paths as the command is to name them. */
  readonly bundle: string
  readonly predicateType: string
  readonly subject: Sha256
  readonly signer:
    | { readonly kind: 'key'; readonly publicKey: string; readonly timestamped: boolean }
    | { readonly kind: 'sigstore'; readonly issuer: string; readonly subjectAlternativeName: string }
  /** Null: none is at hand; cosign then takes the public good instance's, where it needs one. */
  readonly trustedRoot: string | null
}

/**
 * The words of a cosign 3 command that checks a bundle for one artifact by its digest. `--type` is never left out, since cosign's default
 * is another. A key's bundle is in no log, which cosign wants to be told; its timestamp is looked at only with a root to look it up in.
 */
export function cosignCommand({ bundle, predicateType, subject, signer, trustedRoot }: CosignCheck): string[] {
  const words = ['cosign', 'verify-blob-attestation', '--bundle', bundle, '--type', predicateType]
  const root = trustedRoot === null ? [] : ['--trusted-root', trustedRoot]
  const artifact = ['--digest', subject, '--digestAlg', 'sha256']
  if (signer.kind === 'sigstore') {
    const { issuer, subjectAlternativeName } = signer
    return [...words, '--certificate-identity', subjectAlternativeName, '--certificate-oidc-issuer', issuer, ...root, ...artifact]
  }
  const time = signer.timestamped && trustedRoot !== null ? [...root, '--use-signed-timestamps'] : []
  return [...words, '--key', signer.publicKey, '--insecure-ignore-tlog', ...time, ...artifact]
}
