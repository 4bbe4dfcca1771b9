/** One test as the record of a suite holds it. */
export type RecordedTest = { readonly name: string; readonly state: 'passed' | 'failed' | 'skipped'; readonly note: string | null }

export type SuiteResult = {
  readonly suite: string
  readonly tests: readonly RecordedTest[]
  /** Why the suite as a whole failed, apart from its tests: a budget exceeded, a record missing, an exit code without a failed test. */
  readonly objections: readonly string[]
  readonly seconds: number
}

export type Summary = { readonly passed: number; readonly failed: number; readonly skipped: number; readonly lines: readonly string[] }

/** Sums suites. The last line is `N passed, N failed, N skipped`, alone, for machines. */
export function summarise(results: readonly SuiteResult[]): Summary {
  let [passed, failed, skipped] = [0, 0, 0]
  const lines: string[] = []
  for (const { suite, tests, objections, seconds } of results) {
    const count = (state: RecordedTest['state']): number => tests.filter((test) => test.state === state).length
    passed += count('passed')
    failed += count('failed') + objections.length
    skipped += count('skipped')
    lines.push(
      `${suite}: ${count('passed')} passed, ${count('failed') + objections.length} failed, ${count('skipped')} skipped in ${seconds.toFixed(1)} s`,
    )
    for (const objection of objections) lines.push(`  failed: ${objection}`)
    for (const test of tests.filter((one) => one.state === 'failed')) lines.push(`  failed: ${test.name}`)
    for (const test of tests.filter((one) => one.state === 'skipped'))
      lines.push(`  skipped: ${test.name}: ${test.note ?? 'no reason given'}`)
  }
  lines.push(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  return { passed, failed, skipped, lines }
}

/** What is wrong with a suite beside its failed tests. `mustRun` suites may skip nothing: a build that was not tested is not a passed one. */
export function objectionsTo(o: {
  readonly suite: string
  readonly tests: readonly RecordedTest[] | null
  readonly exitCode: number | null
  readonly overBudget: boolean
  readonly budgetSeconds: number
  readonly mustRun: boolean
}): string[] {
  if (o.overBudget) return [`${o.suite} took longer than its ${o.budgetSeconds} s and was stopped`]
  if (o.tests === null) return [`${o.suite} left no record of its tests (exit code ${o.exitCode ?? 'none'})`]
  const objections: string[] = []
  const anyFailed = o.tests.some((test) => test.state === 'failed')
  if (o.tests.length === 0) objections.push(`${o.suite} ran no test`)
  if (o.exitCode !== 0 && !anyFailed) objections.push(`${o.suite} ended with exit code ${o.exitCode ?? 'none'} although no test failed`)
  if (o.mustRun && o.tests.some((test) => test.state === 'skipped')) objections.push(`${o.suite} skipped tests, and it may not`)
  return objections
}
