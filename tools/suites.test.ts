import { expect, it } from 'vitest'
import { SUITES } from './suites.ts'

it('gives all suites together less than an hour', () => {
  expect(SUITES.reduce((sum, suite) => sum + suite.budgetSeconds, 0)).toBeLessThan(3600)
})

it('lets the tests on the Docker engine and those with other tools skip nothing', () => {
  expect(SUITES.filter((suite) => suite.mustRun).map((suite) => suite.name)).toEqual(['interop', 'docker'])
})
