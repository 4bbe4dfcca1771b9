import { expect, it } from 'vitest'
import { pauseBeforeConnecting } from './pause-before-connecting.ts'

it('begins with a moment, grows with each failure, and stays under a second, whatever the size of the pool that was cut off', () => {
  const pauses = [0, 1, 2, 3, 4, 5, 20, 10_000].map((failures) => [pauseBeforeConnecting(failures, 0), pauseBeforeConnecting(failures, 1)])
  expect(pauses.map(([least]) => least)).toEqual([0.005, 0.015, 0.045, 0.135, 0.405, 0.5, 0.5, 0.5])
  expect(pauses.map(([, most]) => most)).toEqual([0.01, 0.03, 0.09, 0.27, 0.81, 1, 1, 1])
})
