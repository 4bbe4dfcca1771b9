import type { Bundle } from './case-world.ts'
import { must } from './case-world.ts'

/** A changed copy. */
export function changed(bundle: Bundle, change: (copy: Bundle) => void): Bundle {
  const copy = structuredClone(bundle)
  change(copy)
  return copy
}

/** Base64 with one bit of one byte turned; the last byte of nothing in particular unless said. */
export function flipped(base64: string, at = -1): string {
  const bytes = Buffer.from(base64, 'base64')
  const index = at < 0 ? bytes.length + at : at
  bytes[index] = must(bytes[index]) ^ 1
  return bytes.toString('base64')
}

export function entryOf(bundle: Bundle) {
  return must(bundle.verificationMaterial.tlogEntries?.[0])
}

export function proofOf(bundle: Bundle) {
  return must(entryOf(bundle).inclusionProof)
}

export function signatureOf(bundle: Bundle) {
  return must(bundle.dsseEnvelope.signatures[0])
}

export function timestampOf(bundle: Bundle) {
  return must(bundle.verificationMaterial.timestampVerificationData?.rfc3161Timestamps?.[0])
}
