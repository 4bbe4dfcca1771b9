import { signatureHolds } from './bundle-signer.ts'
import { Checklist } from './check.ts'
import { openEnvelope } from './envelope.ts'
import { readKeys } from './key-names.ts'
import { readBundle } from './read-bundle.ts'

/**
 * Whether a key, in PEM, made the signature of a bundle. Nothing else of the bundle is looked at: this finds the key that goes with it, and
 * verifies nothing. Failures: those of `readKeys`.
 */
export function isSignedBy(bundle: Uint8Array, publicKey: string): boolean {
  const read = readBundle(bundle, { oldVersions: false })
  if (typeof read === 'string') return false
  const signed = openEnvelope(read.shape, undefined, new Checklist())
  return signed !== undefined && readKeys([publicKey]).some((key) => signatureHolds(signed, key))
}
