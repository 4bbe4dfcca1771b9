import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Outcome } from '../../../verifier/model/attempt.ts'
import { parseSha256 } from '../../../verifier/model/digest.ts'
import { Verdict } from '../../../verifier/model/verdict.ts'
import { type AttemptState, MAX_TRIES, transitionAttempt } from './attempt-state.ts'
import { acceptedLife, attemptsCommitted, transition, type VerificationEvent, type VerificationLife } from './verification-state.ts'

const D = parseSha256('d'.repeat(64))
const OTHER = parseSha256('e'.repeat(64))
const lease = (id: string, expiresAt = 100) => ({ id, worker: 'w1', since: 0, expiresAt })
const worker = fc.constantFrom('w1', 'w2')
const leaseId = fc.constantFrom('a', 'b', 'c')
const time = fc.integer({ min: 0, max: 200 })
const digest = fc.constantFrom(D, OTHER)
const attemptEvent = fc.oneof(
  fc.record({ kind: fc.constant('lease' as const), lease: fc.record({ id: leaseId, worker, since: time, expiresAt: time }) }),
  fc.record({ kind: fc.constant('heartbeat' as const), lease: leaseId, worker, at: time, expiresAt: time }),
  fc.record({ kind: fc.constant('lease-lost' as const), lease: fc.option(leaseId, { nil: null }) }),
  { weight: 1, arbitrary: fc.constant({ kind: 'give-up' } as const) },
  fc.record({
    kind: fc.constant('report' as const),
    lease: leaseId,
    worker,
    outcome: fc.constantFrom(...Outcome.options),
    digest,
    at: time,
  }),
)
const event: fc.Arbitrary<VerificationEvent> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ kind: fc.constant('attempt' as const), number: fc.integer({ min: 1, max: 4 }), event: attemptEvent }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'prepare' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reuse' as const),
      outcomes: fc.array(fc.constantFrom(...Outcome.options), { maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'decide', verdict: 'reproduced', tier: 'bit-exact' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('decide' as const), verdict: fc.constantFrom(...Verdict.options), tier: fc.constant(null) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'cancel' } as const) },
)
const accepted = fc.record({ wanted: fc.integer({ min: 1, max: 4 }), locked: fc.boolean() })

const PREPARE = { kind: 'prepare' } as const
const CANCEL = { kind: 'cancel' } as const

function preparedLife(how: Parameters<typeof acceptedLife>[0]): VerificationLife {
  const step = transition(acceptedLife(how), PREPARE)
  if (step.result !== 'changed') throw new Error('not prepared')
  return step.life
}

/** A queue that goes on until nothing is left to do, then somebody who decides. */
function runToTheEnd(start: VerificationLife): VerificationLife {
  let life = start
  for (let round = 0; round < 100; round += 1) {
    const at = life.attempts.findIndex((attempt) => attempt.state !== 'committed')
    if (life.state === 'finished' || life.state === 'cancelled') return life
    const step: VerificationEvent =
      life.attempts.length === 0
        ? { kind: 'prepare' }
        : at === -1
          ? { kind: 'decide', verdict: 'undecided', tier: null }
          : { kind: 'attempt', number: at + 1, event: nextEvent(life.attempts[at]) }
    const next = transition(life, step)
    if (next.result !== 'changed') throw new Error(`stuck: ${JSON.stringify({ step, next })}`)
    life = next.life
  }
  throw new Error('does not end')
}

function nextEvent(attempt: AttemptState | undefined) {
  return attempt?.state === 'leased' ? ({ kind: 'lease-lost', lease: null } as const) : ({ kind: 'lease', lease: lease('end') } as const)
}

describe('a verification', () => {
  it('ends in exactly one verdict or cancelled, whatever happens to it', () => {
    fc.assert(
      fc.property(accepted, fc.array(event, { maxLength: 60 }), (how, events) => {
        let life = acceptedLife(how)
        const ends: VerificationLife[] = []
        for (const one of events) {
          const step = transition(life, one)
          if (step.result !== 'changed') continue
          life = step.life
          if (life.state === 'finished' || life.state === 'cancelled') ends.push(life)
        }
        const end = runToTheEnd(life)
        expect(ends.length).toBeLessThanOrEqual(1)
        expect(end).toEqual(ends[0] ?? end)
        expect((end.state === 'finished') === (end.verdict !== null)).toBe(true)
        expect(['finished', 'cancelled']).toContain(end.state)
        expect(end.attempts.every((attempt) => attempt.state === 'committed' && attempt.tries <= MAX_TRIES)).toBe(true)
        expect(end.attempts.length).toBeLessThanOrEqual(events.some((one) => one.kind === 'reuse') ? 4 : how.wanted)
        for (const one of [...Verdict.options.map((verdict) => ({ kind: 'decide', verdict, tier: null }) as const), CANCEL, PREPARE])
          expect(transition(end, one).result).not.toBe('changed')
      }),
      { numRuns: 2000 },
    )
  })

  it('never changes an attempt that is committed, and says each ended try once', () => {
    fc.assert(
      fc.property(accepted, fc.array(event, { maxLength: 60 }), (how, events) => {
        let life = acceptedLife(how)
        const ended: string[] = []
        for (const one of events) {
          const step = transition(life, one)
          if (step.result !== 'changed') continue
          for (const [index, attempt] of life.attempts.entries())
            if (attempt.state === 'committed') expect(step.life.attempts[index]).toBe(attempt)
          ended.push(...step.ended.map((one) => `${one.attempt}/${one.ended.number}`))
          life = step.life
        }
        expect(new Set(ended).size).toBe(ended.length)
        for (const [index, attempt] of life.attempts.entries()) {
          const over = ended.filter((one) => one.startsWith(`${index + 1}/`)).length
          expect(over).toBe(attempt.state === 'leased' ? attempt.tries - 1 : attempt.tries)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('is answered by the attempts of an earlier one, and then opens none', () => {
    const outcomes = ['built', 'built', 'built'] as const
    const step = transition(acceptedLife({ wanted: 2, locked: false }), { kind: 'reuse', outcomes })
    if (step.result !== 'changed') throw new Error('not reused')
    expect(step).toMatchObject({ opened: [], ended: [], life: { state: 'running' } })
    expect(step.life.attempts.map((attempt) => attempt.state === 'committed' && attempt.outcome)).toEqual(outcomes)
    expect(attemptsCommitted(step.life)).toBe(true)
    expect(transition(step.life, PREPARE).result).toBe('unchanged')
    expect(transition(step.life, { kind: 'reuse', outcomes }).result).toBe('unchanged')
    expect(transition(preparedLife({ wanted: 2, locked: false }), { kind: 'reuse', outcomes }).result).toBe('unchanged')
    for (const too of [[], ['built']] as const)
      expect(transition(acceptedLife({ wanted: 2, locked: false }), { kind: 'reuse', outcomes: too })).toEqual({
        result: 'illegal',
        code: 'attempts-open',
      })
  })

  it('gives no verdict, and shows no claim, while an attempt is open', () => {
    fc.assert(
      fc.property(accepted, fc.array(event, { maxLength: 60 }), (how, events) => {
        let life = acceptedLife(how)
        for (const one of events) {
          const step = transition(life, one)
          if (step.result !== 'changed') continue
          // Where no attempt was ever opened nothing can have been compared, and none can echo a claim.
          if (one.kind === 'decide' && life.attempts.length === 0) expect(['refused', 'undecided']).toContain(one.verdict)
          else if (one.kind === 'decide') expect(attemptsCommitted(life)).toBe(true)
          life = step.life
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('has no attempt before it is prepared, is prepared once, and says each attempt that it opens once', () => {
    fc.assert(
      fc.property(accepted, fc.array(event, { maxLength: 60 }), (how, events) => {
        let life = acceptedLife(how)
        let [prepared, taken] = [0, 0]
        const opened: number[] = []
        for (const one of events) {
          const step = transition(life, one)
          if (step.result !== 'changed') continue
          if (one.kind === 'prepare') {
            prepared += 1
            expect(step.life.state).toBe('running')
            expect(step.opened).toEqual(Array.from({ length: how.locked ? how.wanted : 1 }, (_, index) => index + 1))
          }
          if (one.kind === 'attempt') expect(prepared).toBe(1)
          // What is taken over is not opened.
          if (one.kind === 'reuse') [prepared, taken] = [prepared + 1, step.life.attempts.length]
          opened.push(...step.opened)
          life = step.life
        }
        expect(prepared).toBeLessThanOrEqual(1)
        expect(opened).toEqual(taken > 0 ? [] : life.attempts.map((_, index) => index + 1))
        expect(life.attempts.length > 0).toBe(prepared === 1)
      }),
      { numRuns: 1000 },
    )
  })

  it('is prepared again without a change, and not at all once it is over', () => {
    for (const locked of [false, true]) {
      const start = acceptedLife({ wanted: 3, locked })
      expect(start).toMatchObject({ state: 'accepted', attempts: [] })
      expect(attemptsCommitted(start)).toBe(false)
      const prepared = preparedLife({ wanted: 3, locked })
      expect(transition(prepared, PREPARE)).toEqual({ result: 'unchanged' })
      const cancelled = transition(start, CANCEL)
      if (cancelled.result !== 'changed') throw new Error('not cancelled')
      expect(transition(cancelled.life, PREPARE)).toEqual({ result: 'illegal', code: 'verification-over' })
      // Said again by somebody whose first answer was lost, while the verification went on.
      const later = transition(prepared, CANCEL)
      if (later.result !== 'changed') throw new Error('not cancelled')
      expect(transition(later.life, PREPARE)).toEqual({ result: 'unchanged' })
    }
  })

  it('is decided without an attempt only as what says nothing of an image', () => {
    const start = acceptedLife({ wanted: 2, locked: false })
    const results = Verdict.options.map((verdict) => transition(start, { kind: 'decide', verdict, tier: null }).result)
    expect(Object.fromEntries(Verdict.options.map((verdict, index) => [verdict, results[index]]))).toEqual({
      reproduced: 'illegal',
      mismatch: 'illegal',
      nondeterministic: 'illegal',
      'build-failed': 'illegal',
      refused: 'changed',
      undecided: 'changed',
    })
    const running = preparedLife({ wanted: 2, locked: false })
    for (const verdict of Verdict.options)
      expect(transition(running, { kind: 'decide', verdict, tier: null })).toEqual({ result: 'illegal', code: 'attempts-open' })
  })

  it('opens replays when the first attempt has recorded its inputs, and only then', () => {
    const start = preparedLife({ wanted: 3, locked: false })
    expect(start.attempts).toHaveLength(1)
    const leased = transition(start, { kind: 'attempt', number: 1, event: { kind: 'lease', lease: lease('a') } })
    if (leased.result !== 'changed') throw new Error('not leased')
    const report = { kind: 'report', lease: 'a', worker: 'w1', digest: D, at: 1 } as const
    for (const outcome of Outcome.options) {
      const step = transition(leased.life, { kind: 'attempt', number: 1, event: { ...report, outcome } })
      expect([outcome, step.result === 'changed' ? step.opened : null]).toEqual([
        outcome,
        outcome === 'built' || outcome === 'build-failed' ? [2, 3] : [],
      ])
    }
    expect(preparedLife({ wanted: 3, locked: true }).attempts).toHaveLength(3)
  })
})

describe('an attempt', () => {
  const leased: AttemptState = { state: 'leased', tries: 1, lease: lease('a') }
  const report = { kind: 'report', lease: 'a', worker: 'w1', outcome: 'built', digest: D, at: 1 } as const

  it('is reported by the worker that holds its lease, in time, and by no other', () => {
    expect(transitionAttempt(leased, { ...report, worker: 'w2' })).toEqual({ result: 'illegal', code: 'lease-not-yours' })
    expect(transitionAttempt(leased, { ...report, lease: 'b' })).toEqual({ result: 'illegal', code: 'lease-not-yours' })
    expect(transitionAttempt(leased, { ...report, at: 100 })).toEqual({ result: 'illegal', code: 'lease-expired' })
    expect(transitionAttempt({ state: 'queued', tries: 1 }, report)).toEqual({ result: 'illegal', code: 'attempt-queued' })
    expect(transitionAttempt(leased, report)).toEqual({
      result: 'changed',
      state: { state: 'committed', tries: 1, outcome: 'built', lease: 'a', digest: D },
      ended: { number: 1, lease: lease('a'), ending: 'committed' },
    })
  })

  it('takes the same report again as said, and another one not at all', () => {
    const committed: AttemptState = { state: 'committed', tries: 1, outcome: 'built', lease: 'a', digest: D }
    expect(transitionAttempt(committed, report)).toEqual({ result: 'unchanged' })
    expect(transitionAttempt(committed, { ...report, digest: OTHER })).toEqual({ result: 'illegal', code: 'attempt-committed' })
    expect(transitionAttempt(committed, { ...report, lease: 'b' })).toEqual({ result: 'illegal', code: 'attempt-committed' })
  })

  it('is tried again after a lost lease or a failure of the infrastructure, up to the cap', () => {
    for (const event of [
      { kind: 'lease-lost', lease: 'a' } as const,
      { ...report, outcome: 'infrastructure' as const },
      { ...report, outcome: 'cancelled' as const },
    ]) {
      expect(transitionAttempt(leased, event)).toMatchObject({ state: { state: 'queued', tries: 1 } })
      expect(transitionAttempt({ ...leased, tries: MAX_TRIES }, event)).toMatchObject({
        state: { state: 'committed', outcome: 'infrastructure' },
      })
    }
    expect(transitionAttempt(leased, { kind: 'lease-lost', lease: 'of somebody before' })).toEqual({ result: 'unchanged' })
  })

  it('keeps its lease by heartbeats that never shorten it', () => {
    const beat = { kind: 'heartbeat', lease: 'a', worker: 'w1', at: 50 } as const
    expect(transitionAttempt(leased, { ...beat, expiresAt: 150 })).toMatchObject({ state: { lease: { expiresAt: 150 } } })
    expect(transitionAttempt(leased, { ...beat, expiresAt: 60 })).toMatchObject({ state: { lease: { expiresAt: 100 } } })
    expect(transitionAttempt(leased, { ...beat, at: 100, expiresAt: 150 })).toEqual({ result: 'illegal', code: 'lease-expired' })
  })
})
