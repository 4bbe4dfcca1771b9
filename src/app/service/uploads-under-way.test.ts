import { expect, it } from 'vitest'
import { UploadsUnderWay } from './uploads-under-way.ts'

it('counts what has begun and is not over, of each owner alone', () => {
  const underWay = new UploadsUnderWay()
  const counts = ({ others, othersBytes }: ReturnType<UploadsUnderWay['begin']>) => [others, othersBytes]
  const first = underWay.begin('alice', 10)
  expect(counts(first)).toEqual([0, 0])
  {
    using second = underWay.begin('alice', 5)
    expect(counts(second)).toEqual([1, 10])
    using other = underWay.begin('bob', 1)
    expect(counts(other)).toEqual([0, 0])
  }
  using third = underWay.begin('alice', 1)
  expect(counts(third)).toEqual([1, 10])
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  using fourth = underWay.begin('alice', 1)
  expect(counts(fourth)).toEqual([1, 1])
})
