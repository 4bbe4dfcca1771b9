import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'
import type { RecordedTest } from './suite-summary.ts'

/** Writes each test's state as JSON to the file in BITWITNESS_TEST_RECORD: vitest's own JSON loses the reason of a skip and errors outside of tests. */
export default class RecordReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const file = process.env['BITWITNESS_TEST_RECORD']
    if (file === undefined) return
    const tests = [
      ...modules.flatMap(recordModule),
      ...unhandled.map(() => ({ name: 'an error outside of any test', state: 'failed' as const, note: null })),
    ]
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(tests))
  }
}

function recordModule(module: TestModule): RecordedTest[] {
  const tests: RecordedTest[] = []
  for (const test of module.children.allTests()) {
    const result = test.result()
    const state = result.state === 'passed' || result.state === 'skipped' ? result.state : 'failed'
    tests.push({ name: `${module.relativeModuleId} > ${test.fullName}`, state, note: 'note' in result ? (result.note ?? null) : null })
  }
  // A file that cannot be loaded has no tests, yet it failed; so has one whose hooks failed although its tests passed.
  const failedAlready = tests.some((test) => test.state === 'failed')
  if (module.state() === 'failed' && !failedAlready)
    tests.push({ name: `${module.relativeModuleId} > (the file)`, state: 'failed', note: null })
  return tests
}
