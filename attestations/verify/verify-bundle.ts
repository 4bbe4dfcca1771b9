import { Failure } from '../../verifier/model/failure.ts'
import type { AttestationSigner } from './attestation-check.ts'
import type { BundleShape } from './bundle-shape.ts'
import { type BundleSigner, findSigner, signatureHolds } from './bundle-signer.ts'
import { Checklist } from './check.ts'
import { openEnvelope } from './envelope.ts'
import { readKeys } from './key-names.ts'
import { countLogs, objectionToEntries } from './log-entries.ts'
import { requirePolicy, type SignerPolicy, type Thresholds } from './policy.ts'
import { readBundle } from './read-bundle.ts'
import { readTimes, type SignedTime } from './signed-times.ts'
import { objectionOfLibrary } from './sigstore-library.ts'
import type { TrustedRoot } from './trusted-root.ts'

export type VerifiedBundle = {
  readonly checks: Checklist
  /** What is signed, where it is a statement. Worth nothing unless no check failed. */
  readonly payload: Uint8Array | null
  /** Who signed, where everything but the name holds, whether or not it is who should have. */
  readonly signer: AttestationSigner | null
  /** What others said of when it was signed; worth nothing unless no check failed. */
  readonly times: readonly Date[]
  /** No signature of this bundle can be older; null with a key, which can have signed at any time. */
  readonly notBefore: Date | null
}

/** How far ahead another clock may be, in ms. */
const CLOCK_SKEW = 5 * 60_000

/**
 * Verifies all of a bundle but what the statement says. `message`: the bytes themselves, for bundles that sign those and no statement;
 * `oldVersions`: take v0.1. Needs no network. Failures: `policy-…`, `public-key-…`, `trusted-root-missing`.
 */
export function verifyBundle(o: {
  readonly bundle: Uint8Array
  readonly trustedRoot: TrustedRoot | null
  readonly policy: SignerPolicy
  readonly now: Date
  readonly message?: Uint8Array
  readonly oldVersions?: boolean
}): VerifiedBundle {
  const thresholds = requirePolicy(o.policy)
  const required = o.policy.signer
  const keys = required.kind === 'key' ? readKeys(required.publicKeys) : []
  const checks = new Checklist()
  const nothing: VerifiedBundle = { checks, payload: null, signer: null, times: [], notBefore: null }

  const read = readBundle(o.bundle, { oldVersions: o.oldVersions ?? false })
  if (typeof read === 'string') {
    checks.fail('bundle', read)
    return nothing
  }
  const { shape, bundle } = read
  checks.pass('bundle', 'it is a well-formed Sigstore bundle')
  const signed = openEnvelope(shape, o.message, checks)
  if (signed === undefined || bundle === null) return nothing
  const signer = findSigner({ shape, signed, required, keys, checks })
  if (signer === undefined) return { ...nothing, payload: signed.payload }
  requireRoot(o.trustedRoot, shape)

  if (signatureHolds(signed, signer)) checks.pass('signature', 'the signature fits what is signed')
  else checks.fail('signature', 'signature-invalid')
  const found = { shape, signer, thresholds, checks, now: o.now, root: o.trustedRoot }
  const times = lookAtTimes(found)
  lookAtLog({ ...found, times })
  lookAtCertificate({ ...found, times })
  const objection = objectionOfLibrary({ ...found, bundle, message: o.message })
  if (objection === undefined) confirm({ ...found, times })
  // It stops at the first thing that it meets, which need not be what is wrong: where we know better, it is not told.
  else if (!checks.anyFailed(['signature', 'certificate', 'time', 'log'])) checks.fail(objection.check, objection.code)
  return {
    checks,
    payload: signed.payload,
    signer: objection === undefined && !checks.failed('certificate') ? describe(signer) : null,
    times: times.map(({ at }) => at),
    notBefore: signer.certificate?.notBefore ?? null,
  }
}

type Found = {
  readonly shape: BundleShape
  readonly signer: BundleSigner
  readonly thresholds: Thresholds
  readonly checks: Checklist
  readonly now: Date
  readonly root: TrustedRoot | null
}

function lookAtTimes({ shape, thresholds, now, checks }: Found): readonly SignedTime[] {
  const times = readTimes(shape)
  if (typeof times === 'string') {
    checks.fail('time', times)
    return []
  }
  if (new Set(times.map(({ by }) => by)).size < thresholds.times) checks.fail('time', 'timestamp-missing')
  if (times.some(({ at }) => at.getTime() > now.getTime() + CLOCK_SKEW)) checks.fail('time', 'timestamp-in-future')
  return times
}

function lookAtLog({ shape, signer, thresholds, root, times, now, checks }: Found & { readonly times: readonly SignedTime[] }): void {
  const entrySigner = { certificate: signer.certificate?.der ?? null, spki: signer.spki }
  const objection = objectionToEntries({ shape, signer: entrySigner, logs: root?.material.tlogs ?? [], times, now })
  if (objection !== undefined) checks.fail('log', objection)
  if (countLogs(shape) < thresholds.logEntries) checks.fail('log', 'log-entry-missing')
}

function lookAtCertificate({ signer, thresholds, root, times, checks }: Found & { readonly times: readonly SignedTime[] }): void {
  if (signer.certificate === null) return
  const { notBefore, notAfter, logs } = signer.certificate
  // The library looks at timestamps first, and in an empty root would miss those.
  if (root?.material.certificateAuthorities.length === 0) checks.fail('certificate', 'certificate-untrusted')
  if (times.some(({ at }) => at < notBefore || at > notAfter)) checks.fail('certificate', 'certificate-expired')
  if (logs.length < thresholds.certificateTimestamps) checks.fail('certificate', 'certificate-timestamp-missing')
}

/** The library verified everything: what no look of ours objects to has passed. */
function confirm({ signer, times, shape, checks }: Found & { readonly times: readonly SignedTime[] }): void {
  if (signer.certificate === null) checks.skip('certificate', 'it is signed with a key, and has none')
  else checks.pass('certificate', 'it comes from a trusted authority and was valid when it was signed')
  if (times.length === 0) checks.skip('time', 'nothing but the signer says when it was signed, and more was not asked for')
  else checks.pass('time', 'every timestamp and log time is from a trusted authority')
  if (countLogs(shape) === 0) checks.skip('log', 'it is in no transparency log, and that was not asked for')
  else checks.pass('log', 'every log entry is about this signature and provably in its log')
}

/** Only a bundle that is signed with a key and has no witness stands without one. */
function requireRoot(root: TrustedRoot | null, { verificationMaterial }: BundleShape): void {
  const { tlogEntries = [], timestampVerificationData } = verificationMaterial
  const witnesses = tlogEntries.length + (timestampVerificationData?.rfc3161Timestamps?.length ?? 0)
  if (root !== null || ('publicKey' in verificationMaterial && witnesses === 0)) return
  throw new Failure({
    code: 'trusted-root-missing',
    message: 'the bundle has a certificate, log entries or timestamps, and nothing says whom to trust for them',
    hint: 'give the trusted root of the Sigstore instance that signed it',
  })
}

function describe({ certificate, fingerprint }: BundleSigner): AttestationSigner {
  if (certificate === null) return { kind: 'key', fingerprint }
  return { kind: 'certificate', subjectAlternativeName: certificate.subjectAlternativeName, issuer: certificate.issuer }
}
