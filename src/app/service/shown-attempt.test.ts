import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Attempt, attemptWithoutRun, type OutcomeReason } from '../../../verifier/model/attempt.ts'
import { parseSha256 } from '../../../verifier/model/digest.ts'
import { shownAttempt } from './shown-attempt.ts'

const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

function failed(reason: Partial<OutcomeReason>, change: Partial<Attempt> = {}): Attempt {
  const whole = { code: 'mkosi-failed', message: 'm', data: {}, ...reason }
  return { ...attemptWithoutRun({ number: 1, mode: 'live', outcome: 'build-failed', reason: whole }), ...change }
}

describe('what a worker writes', () => {
  it('is shown as what it is, and moves nothing', () => {
    const attempt = failed({ message: '\u001b[2Jgone\u202e', data: { path: 'a\nb', exit: 1, none: null } })
    expect(shownAttempt(attempt).reason).toEqual({
      code: 'mkosi-failed',
      message: '\\u{1b}[2Jgone\\u{202e}',
      data: { path: 'a\\u{a}b', exit: 1, none: null },
    })
  })

  it('hides nothing, whatever it is, and is the same when it is shown again', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('\u202e', '\u001b', '\ud800', 'a') }))
    fc.assert(
      fc.property(text, text, (message, value) => {
        const once = shownAttempt(failed({ message, data: { value } }))
        expect(JSON.stringify(once.reason)).not.toMatch(HIDDEN)
        expect(shownAttempt(once)).toEqual(once)
      }),
    )
  })

  it('is cut where it is long', () => {
    expect(shownAttempt(failed({ message: 'x'.repeat(1e6) })).reason?.message).toHaveLength(4096)
  })

  it('says nothing of tries before it: the coordinator knows them', () => {
    const told = { code: 'lease-lost', message: 'never happened', data: {} }
    expect(shownAttempt(failed({}, { retried: [told] })).retried).toEqual([])
  })

  const stage = { name: 'build', startedAt: '2026-01-01T00:00:00.000Z', ms: 1, bytes: null } as const
  const written = { name: 'a', sha256: parseSha256('a'.repeat(64)), size: 1, compression: 'none' } as const
  const artifact = {
    name: 'a',
    sha256: written.sha256,
    size: 1,
    format: 'other',
    treeManifest: null,
    oci: null,
    written,
    notComparable: null,
  } as const
  const sandbox = { profile: 'docker/v1', digest: 'a'.repeat(64), isolation: 'shared-kernel', apparmor: 'absent', workspace: 'tmpfs' }

  it.each([
    ['a code that is none', failed({ code: 'Not a code' })],
    ['a code without end', failed({ code: 'a'.repeat(65) })],
    ['facts without end', failed({ data: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`n${at}`, 1])) })],
    ['a name of a fact that is none', failed({ data: { '\u202e': 1 } })],
    ['a time that is none', failed({}, { stages: [{ ...stage, startedAt: 'yesterday' }] })],
    ['a time that cannot be', failed({}, { stages: [{ ...stage, startedAt: '2026-13-01T00:00:00Z' }] })],
    ['stages without end', failed({}, { stages: Array.from({ length: 65 }, () => stage) })],
    ['artifacts without end', failed({}, { artifacts: Array.from({ length: 1001 }, () => artifact) })],
    ['a sandbox that has no name', failed({}, { sandbox: { ...sandbox, profile: '<b>' } as Attempt['sandbox'] })],
  ])('is refused as %s', (_, attempt) => {
    expect(() => shownAttempt(attempt)).toThrow(expect.objectContaining({ code: 'report-contradictory' }))
  })

  it('is taken as a worker writes it', () => {
    const attempt = failed({}, { stages: [stage], sandbox: sandbox as Attempt['sandbox'] })
    expect(shownAttempt(attempt)).toEqual(attempt)
    expect(shownAttempt({ ...attempt, artifacts: Array.from({ length: 1000 }, () => artifact) }).artifacts).toHaveLength(1000)
  })
})
