import { expect, it } from 'vitest'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { firstAllowed, isAllowed } from './job-terms.ts'

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [Sha256, Sha256, Sha256]

const choice = (allowed: readonly Sha256[], o: { has?: readonly Sha256[]; known?: Readonly<Record<Sha256, string>> } = {}) => {
  const { has = [], known = {} } = o
  return firstAllowed(allowed, {
    architecture: 'amd64',
    has,
    known: async (digest) => (known[digest] === undefined ? undefined : { architecture: known[digest] }),
  })
}

it('an attempt is made in the first builder that the coordinator can give, else in one that the worker has', async () => {
  expect(await choice([])).toBeNull()
  expect(await choice([A, B])).toBe(A)
  expect(await choice([A, B], { has: [C, B] })).toBe(B)
  expect(await choice([A, B], { has: [A], known: { [B]: 'amd64' } })).toBe(B)
  expect(await choice([A, B, C], { known: { [B]: 'amd64', [C]: 'amd64' } })).toBe(B)
})

it('a builder of another architecture is passed by', async () => {
  expect(await choice([A, B], { known: { [A]: 'arm64' } })).toBe(B)
  expect(await choice([A, B], { has: [A], known: { [A]: 'arm64', [B]: 'amd64' } })).toBe(B)
  // Where all are of another one, the report is refused by its builder, and not before.
  expect(await choice([A], { known: { [A]: 'arm64' } })).toBe(A)
})

it('where none is named any builder may be', () => {
  expect([isAllowed([], A), isAllowed([A], A), isAllowed([B], A)]).toEqual([true, true, false])
})
