import type { Signer } from '@sigstore/sign'
import { buildBundle } from './envelope-builder.ts'
import { PATIENCE, type Patience } from './http-answer.ts'
import { refuseOwner } from './owner-rule.ts'
import { checkBundle, checkTrust, type Trusted } from './self-check.ts'
import { parseSigningKey, type SigningKey } from './signing-key.ts'
import { type StatementSigner, timed } from './statement-signer.ts'
import { timestampWitness } from './timestamp.ts'

/**
 * Signs with a key. Needs no network, and then the age of a bundle is the signer's word; with `tsa` a timestamp authority says when it was.
 * Failures of its own: those of the key at once, `signer-is-owner` where the owner is named by the key's fingerprint.
 */
export function keySigner(o: {
  readonly privateKeyPem: string
  readonly tsa?: URL | null
  /** Timestamps that do not verify with it are not given out. */
  readonly trusted?: Trusted | null
  readonly patience?: Patience
}): StatementSigner {
  const key = parseSigningKey(o.privateKeyPem)
  const { tsa = null, trusted = null, patience = PATIENCE } = o
  return {
    identity: () => Promise.resolve({ kind: 'key', fingerprint: key.fingerprint, publicKey: key.publicKeyPem }),
    async sign(statement, { signal, owner, repository = null, onStage }) {
      signal.throwIfAborted()
      refuseOwner({ identities: [key.fingerprint], repositories: [] }, { owner, repository })
      const witnesses = tsa === null ? [] : [timestampWitness({ tsa, validity: null, patience, signal })]
      const timedWitnesses = witnesses.map((witness): typeof witness => ({
        testify: (...content) => timed('tsa', onStage, () => witness.testify(...content)),
      }))
      const signer: Signer = { sign: (data) => timed('key', onStage, () => Promise.resolve(signWith(key, data))) }
      const bundle = await buildBundle(statement, signer, timedWitnesses)
      checkBundle(bundle, { statement, publicKeyPem: key.publicKeyPem, logEntries: 0, timestamps: witnesses.length })
      if (trusted !== null && tsa !== null) checkTrust(bundle, trusted, key.publicKeyPem)
      return bundle
    },
  }
}

/** The hint is the base64 of the fingerprint, as cosign names keys. */
function signWith(key: SigningKey, data: Buffer): Awaited<ReturnType<Signer['sign']>> {
  const hint = Buffer.from(key.fingerprint, 'hex').toString('base64')
  return { signature: key.sign(data), key: { $case: 'publicKey', publicKey: key.publicKeyPem, hint } }
}
