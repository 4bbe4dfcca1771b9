import { expect, it } from 'vitest'
import { budgetOf, SUITES, WHOLE_RUN_SECONDS } from './suites.ts'

it('gives each suite less than all of them together', () => {
  expect(SUITES.filter((suite) => suite.budgetSeconds >= WHOLE_RUN_SECONDS)).toEqual([])
})

it('gives a suite its budget, what is left of the whole where that is less, and never less than nothing', () => {
  expect([0, 40, 200].map((left) => budgetOf({ budgetSeconds: 100 }, WHOLE_RUN_SECONDS - left))).toEqual([0, 40, 100])
})

it('lets the tests on the Docker engine and those with other tools skip nothing', () => {
  expect(SUITES.filter((suite) => suite.mustRun).map((suite) => suite.name)).toEqual(['interop', 'docker', 'docker-pairs'])
})

it('builds the servers of the lab beside what comes before, and never beside the builds on the engine', () => {
  const names = SUITES.map(({ name }) => name)
  expect(SUITES.filter(({ preparation }) => preparation === 'lab').map(({ name }) => name)).toEqual(['lab'])
  expect(names.slice(-3)).toEqual(['lab', 'docker', 'docker-pairs'])
})
