import { afterAll, expect, test } from 'vitest'
import { sharedSettings, testRoom } from '../../test/shared-home.ts'
import { checkWith } from './check-case.ts'
import { readCases } from './expected.ts'
import { type CorpusRun, runCorpus } from './run.ts'
import { totalsOf, totalsText } from './table.ts'

const MINUTES = 60_000
const cases = await readCases()
const runs: CorpusRun[] = []
const lines: string[] = []
const told = new AbortController()
const check = checkWith(await sharedSettings(), told.signal)
// Makes the builder where it is missing, so that no two cases make it.
await testRoom()

afterAll(() => {
  told.abort()
  process.stdout.write(`${lines.join('\n')}\n${totalsText(totalsOf(rows()))}\n`)
})

// As many at once as vitest's configuration allows: each sees one CPU of its own.
test.concurrent.each(cases.map((one) => [one.expected.label, one] as const))('%s', { timeout: 15 * MINUTES }, async (_label, one) => {
  const run = await runCorpus([one], check, (line) => lines.push(line))
  runs.push(run)
  expect(run.rows[0]?.judgement).toEqual({ label: one.expected.label, mistake: null, complaints: [] })
})

test('no case is accepted falsely, rejected falsely, or judged for a wrong reason', () => {
  const { cases: judged, seconds: _, ...mistakes } = totalsOf(rows())
  expect(judged).toBe(cases.length)
  expect(mistakes).toEqual({ 'false-accept': 0, 'false-reject': 0, 'wrong-reason': 0 })
})

function rows() {
  return runs.flatMap((run) => run.rows)
}
