import { Failure } from '../../verifier/model/failure.ts'
import { decodeStatement } from '../statement/decode.ts'
import type { Statement } from '../statement/statement.ts'
import type { AttestationCheck } from './attestation-check.ts'
import type { Checklist } from './check.ts'
import type { AttestationPolicy } from './policy.ts'
import { readAgreeing } from './predicate-agrees.ts'
import { REJECTIONS } from './rejections.ts'
import type { TrustedRoot } from './trusted-root.ts'
import { type VerifiedBundle, verifyBundle } from './verify-bundle.ts'

/**
 * Verifies a bundle and what its statement says, against one policy, one artifact and one clock. A rejection is an answer; a Failure is
 * what is wrong with the question (`policy-…`, `public-key-…`, `trusted-root-missing`). Needs no network and reads no clock.
 */
export function verifyAttestation(o: {
  readonly bundle: Uint8Array
  readonly trustedRoot: TrustedRoot | null
  readonly policy: AttestationPolicy
  readonly now: Date
  /** Take bundles of version 0.1, whose log entries need no proof. */
  readonly oldVersions?: boolean
}): AttestationCheck {
  const verified = verifyBundle(o)
  const { checks } = verified
  const statement = verified.payload === null ? null : readStatement(verified.payload, checks)
  const madeAt = statement === null ? null : checkStatement(statement, o.policy, checks)
  checkAge({ verified, madeAt, policy: o.policy, now: o.now })
  const all = checks.all()
  const first = all.find(({ result }) => result === 'fail')
  const reached = all.find(({ name }) => name === 'statement')?.result === 'pass'
  if (first === undefined && reached) return accepted(verified, all, statement)
  return {
    verdict: 'rejected',
    // Nothing failed and yet no statement was read: not to be, and no reason to accept.
    code: first?.code ?? 'bundle-malformed',
    message: first?.message ?? REJECTIONS['bundle-malformed'][0],
    checks: all,
    statement: null,
    signer: verified.signer,
    signedAt: null,
  }
}

function accepted(verified: VerifiedBundle, checks: AttestationCheck['checks'], statement: Foreign | null): AttestationCheck {
  const signedAt = earliest(verified.times)
  return {
    verdict: 'verified',
    code: null,
    message: 'every check that was asked for passed',
    checks,
    statement,
    signer: verified.signer,
    signedAt: signedAt === null ? null : signedAt.toISOString(),
  }
}

type Foreign = Statement<Readonly<Record<string, unknown>>>

function readStatement(payload: Uint8Array, checks: Checklist): Foreign | null {
  try {
    const statement = decodeStatement(payload)
    checks.pass('statement', 'it is an in-toto statement that can be read in one way only')
    return statement
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    checks.failWith('statement', error)
    return null
  }
}

function checkStatement(statement: Foreign, policy: AttestationPolicy, checks: Checklist): Date | null {
  if (statement.predicateType === policy.predicateType) checks.pass('predicate-type', 'it is of the kind that was asked for')
  else checks.fail('predicate-type', 'predicate-type-wrong')
  if (statement.subject.some(({ digest }) => digest.sha256 === policy.artifact))
    checks.pass('subject', 'it is about this artifact, by its sha256')
  else checks.fail('subject', 'subject-mismatch')
  const reading = readAgreeing(statement)
  if (reading.kind === 'rejected') checks.fail('predicate', reading.code)
  else if (reading.kind === 'unread') checks.skip('predicate', 'what it says was not read: its form is not defined here')
  else checks.pass('predicate', 'it says what its kind stands for')
  return reading.kind === 'agrees' ? reading.madeAt : null
}

/**
 * A timestamp proves that a signature is not younger; an old one can be stamped anew at any time. So the age is that of the oldest of
 * what is known: times, the start of the certificate, the statement's own date.
 */
function checkAge(o: {
  readonly verified: VerifiedBundle
  readonly madeAt: Date | null
  readonly policy: AttestationPolicy
  readonly now: Date
}): void {
  const { checks, times, notBefore } = o.verified
  const { maxAgeSeconds } = o.policy
  if (maxAgeSeconds === undefined) {
    checks.skip('age', 'no limit was asked for')
    return
  }
  if (checks.anyFailed(['bundle', 'envelope', 'statement'])) return
  const oldest = earliest([...times, ...(notBefore === null ? [] : [notBefore]), ...(o.madeAt === null ? [] : [o.madeAt])])
  if (times.length === 0 || oldest === null) checks.fail('age', 'timestamp-missing')
  else if (o.now.getTime() - oldest.getTime() > maxAgeSeconds * 1000) checks.fail('age', 'statement-expired')
  else checks.pass('age', 'it is not older than was asked for')
}

function earliest(times: readonly Date[]): Date | null {
  return times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime())))
}
