import { expect, it } from 'vitest'
import { SUITES } from './suites.ts'

it('gives all suites together less than an hour', () => {
  expect(SUITES.reduce((sum, suite) => sum + suite.budgetSeconds, 0)).toBeLessThan(3600)
})

it('lets the tests on the Docker engine skip nothing', () => {
  expect(SUITES.find((suite) => suite.name === 'docker')?.mustRun).toBe(true)
})
