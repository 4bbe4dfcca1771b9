import { expect, it } from 'vitest'
import { budgetOf, SUITES, WHOLE_RUN_SECONDS } from './suites.ts'

it('gives all suites together less than an hour, and each less than all', () => {
  expect(WHOLE_RUN_SECONDS).toBeLessThan(3600)
  expect(SUITES.filter((suite) => suite.budgetSeconds >= WHOLE_RUN_SECONDS)).toEqual([])
})

it('gives a suite its budget, what is left of the whole where that is less, and never less than nothing', () => {
  expect([0, 3440, 4000].map((seconds) => budgetOf({ budgetSeconds: 100 }, seconds))).toEqual([100, 40, 0])
})

it('lets the tests on the Docker engine and those with other tools skip nothing', () => {
  expect(SUITES.filter((suite) => suite.mustRun).map((suite) => suite.name)).toEqual(['interop', 'docker'])
})
