import { expect, it } from 'vitest'
import { budgetOf, SUITES, WHOLE_RUN_SECONDS } from './suites.ts'

it('gives each suite less than all of them together', () => {
  expect(SUITES.filter((suite) => suite.budgetSeconds >= WHOLE_RUN_SECONDS)).toEqual([])
})

it('gives a suite its budget, what is left of the whole where that is less, and never less than nothing', () => {
  expect([0, 40, 200].map((left) => budgetOf({ budgetSeconds: 100 }, WHOLE_RUN_SECONDS - left))).toEqual([0, 40, 100])
})

it('lets the tests on the Docker engine and those with other tools skip nothing', () => {
  expect(SUITES.filter((suite) => suite.mustRun).map((suite) => suite.name)).toEqual(['store', 'interop', 'docker', 'docker-pairs'])
})

it('leaves the servers of the lab all the time that the other suites take to be built in', () => {
  expect(SUITES.filter(({ preparation }) => preparation === 'lab')).toEqual([SUITES.at(-1)])
})
