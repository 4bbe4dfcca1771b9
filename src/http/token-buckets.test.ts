import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TokenBuckets } from './token-buckets.ts'

/** A clock in seconds. */
function buckets(burst: number, perMinute: number) {
  let at = 0
  const all = new TokenBuckets({ burst, perMinute }, () => new Date(at * 1000))
  return { all, pass: (seconds: number) => (at += seconds) }
}

it('gives so many at once, says when the next one is there, and gives it then', () => {
  const { all, pass } = buckets(2, 6)
  expect([all.take('a'), all.take('a'), all.take('a')]).toEqual([0, 0, 10])
  pass(9)
  expect(all.take('a')).toBe(1)
  pass(1)
  expect([all.take('a'), all.take('a')]).toEqual([0, 10])
  pass(3600)
  expect([all.take('a'), all.take('a'), all.take('a')]).toEqual([0, 0, 10])
})

it('lets nobody wait for another, and gives nothing for a clock that is set back', () => {
  const { all, pass } = buckets(1, 1)
  expect([all.take('a'), all.take('b'), all.take('a'), all.take('b')]).toEqual([0, 0, 60, 60])
  pass(-3600)
  expect(all.take('a')).toBe(60)
})

it('never gives more than the burst and what came since, and always after the wait that it names', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 600 }),
      fc.array(fc.nat(30), { maxLength: 60 }),
      (burst, rate, waits) => {
        const { all, pass } = buckets(burst, rate)
        let [taken, elapsed] = [0, 0]
        for (const wait of waits) {
          elapsed += wait
          pass(wait)
          if (all.take('a') === 0) taken += 1
          expect(taken).toBeLessThanOrEqual(burst + Math.floor((elapsed * rate) / 60 + 1e-9))
        }
        const left = all.take('a')
        pass(left)
        if (left > 0) expect(all.take('a')).toBe(0)
      },
    ),
  )
})

it('remembers so many, and forgets who was away longest', () => {
  const { all } = buckets(1, 1)
  for (let index = 0; index < 20_000; index += 1) all.take(`${index}`)
  expect(all.take('0')).toBeGreaterThan(0)
  all.take('one more')
  expect([all.take('1'), all.take('0') > 0]).toEqual([0, true])
})
