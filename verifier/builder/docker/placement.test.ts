import fc from 'fast-check'
import { expect, it } from 'vitest'
import { placeOn } from './placement.ts'

it('gives builds that begin one after another different CPUs', () => {
  expect([0, 1, 2].map((turn) => placeOn({ cpus: 2, wanted: 1, turn, taken: [] }))).toEqual(['0', '1', '0'])
  expect(placeOn({ cpus: 4, wanted: 2, turn: 3, taken: [] })).toBe('0,3')
})

it('goes round the CPUs that builds of other processes have', () => {
  expect(placeOn({ cpus: 2, wanted: 1, turn: 0, taken: ['0'] })).toBe('1')
  expect(placeOn({ cpus: 4, wanted: 2, turn: 0, taken: ['0', '1,2', '0'] })).toBe('1,3')
  expect(placeOn({ cpus: 2, wanted: 1, turn: 1, taken: ['0', '1', '0'] })).toBe('1')
})

it('always gives as many as are wanted, whatever a label says', () => {
  const case_ = fc.record({
    cpus: fc.integer({ min: 1, max: 64 }),
    turn: fc.nat(),
    taken: fc.array(fc.oneof(fc.string(), fc.constantFrom('0', '1,2', '7', '-1', '1e3', 'NaN'))),
    share: fc.double({ min: 0.01, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(case_, ({ share, ...o }) => {
      const wanted = Math.ceil(o.cpus * share)
      const given = placeOn({ ...o, wanted })
        .split(',')
        .map(Number)
      expect(new Set(given).size).toBe(wanted)
      expect(given.every((cpu) => Number.isInteger(cpu) && cpu >= 0 && cpu < o.cpus)).toBe(true)
    }),
  )
})
