import { TrustedRoot } from '@sigstore/protobuf-specs'
import { type TrustMaterial, toTrustMaterial } from '@sigstore/verify'
import { Secret } from '../../../verifier/model/secret.ts'
import type { Patience } from '../http-answer.ts'
import { type SigstoreOptions, sigstoreSigner } from '../sigstore-signer.ts'
import type { StatementSigner } from '../statement-signer.ts'
import type { MockSigstore } from './mock-sigstore.ts'

/** Three further tries, at once. */
export const QUICK: Patience = { timeout: 20_000, retries: 3, retryDelay: 1 }

/** A signer against the servers of a mock, with a log of either version. */
export function mockSigner(mock: MockSigstore, version: 1 | 2, change: Partial<SigstoreOptions> = {}): StatementSigner {
  const { fulcio, rekor1, rekor2, tsa } = mock.urls
  return sigstoreSigner({
    fulcio,
    log: version === 1 ? { version, rekor: rekor1, tsa } : { version, rekor: rekor2, tsa },
    token: () => Promise.resolve(new Secret(mock.token())),
    patience: QUICK,
    ...change,
  })
}

/** What verifies bundles of a mock. */
export function trustedOf(mock: MockSigstore): TrustMaterial {
  return toTrustMaterial(TrustedRoot.fromJSON(mock.trustedRoot))
}
