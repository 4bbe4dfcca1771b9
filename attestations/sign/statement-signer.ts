import type { Sha256 } from '../../verifier/model/digest.ts'

/** Who signs. `fingerprint` is the sha256 of the public key's SPKI DER; `publicKey` is its PEM. */
export type SignerIdentity =
  | { readonly kind: 'key'; readonly fingerprint: Sha256; readonly publicKey: string }
  | { readonly kind: 'sigstore'; readonly issuer: string; readonly subjectAlternativeName: string }

/** What a signing spends its time on. `rekor` and `tsa` follow each other: nothing is logged that could not be timestamped. */
export type SignStage = 'token' | 'fulcio' | 'tsa' | 'rekor' | 'key'

export type SignOptions = {
  readonly signal: AbortSignal
  /** Who submitted what the statement is about, as authenticated; null where nobody did. Refused with `signer-is-owner` where it signs. */
  readonly owner: string | null
  /** URL of the repository that the statement is about, if it is about one: whoever owns it may not sign either. */
  readonly repository?: string | null
  /** Hears how long each stage took, in ms, its retries included. */
  readonly onStage?: (stage: SignStage, ms: number) => void
}

export interface StatementSigner {
  /** Who signs. With Sigstore this reads a token: what it leads to expect, while the certificate of each signing decides. */
  identity(signal: AbortSignal): Promise<SignerIdentity>
  /**
   * Signs the exact bytes of a statement and gives the bundle: the JSON text of a Sigstore bundle v0.3, without a line break at its end.
   * What it gives was checked against the statement (docs/signing.md says how far). Failures: docs/errors.md, by service.
   */
  sign(statement: Uint8Array, options: SignOptions): Promise<string>
}

/** Runs one stage and tells how long it took, if it ended well. */
export async function timed<T>(stage: SignStage, onStage: SignOptions['onStage'], work: () => Promise<T>): Promise<T> {
  const since = performance.now()
  const result = await work()
  onStage?.(stage, performance.now() - since)
  return result
}
