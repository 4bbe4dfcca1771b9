import { spawn } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { buildLab, endStack, findLab, type LabBuild } from './sigstore-lab.ts'
import { objectionsTo, type RecordedTest, type SuiteResult, summarise } from './suite-summary.ts'
import { budgetOf, SUITES, type Suite } from './suites.ts'

/**
 * `node tools/run-suites.ts [SUITE…]`: runs the named suites, or all, each within its budget, and ends with the line
 * `N passed, N failed, N skipped`. Exit code 0 only if nothing failed.
 */
const root = path.join(import.meta.dirname, '..')
const records = path.join(root, '.tools', 'records')

process.exitCode = await main(process.argv.slice(2))

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name))
  if (unknown.length > 0) {
    console.error(`unknown suite ${unknown.join(', ')}; there are ${SUITES.map((suite) => suite.name).join(', ')}`)
    return 2
  }
  const suites = SUITES.filter((one) => names.length === 0 || names.includes(one.name))
  const results: SuiteResult[] = []
  const lab = suites.some(({ preparation }) => preparation === 'lab') ? findLab() : undefined
  const build = lab === undefined ? undefined : buildLab(lab)
  try {
    if (build !== undefined) endWith(build)
    for (const suite of suites) results.push(await run(suite, suite.preparation === 'lab' ? build : undefined))
  } finally {
    build?.stop()
    if (lab !== undefined) endStack(lab)
  }
  const summary = summarise(results)
  console.log(`\n${summary.lines.join('\n')}`)
  return summary.failed === 0 && summary.passed > 0 ? 0 : 1
}

/** What builds beside us does not outlive us. */
function endWith(build: LabBuild): void {
  process.once('exit', build.stop)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}

async function run(suite: Suite, preparation: LabBuild | undefined): Promise<SuiteResult> {
  console.log(`\n== ${suite.name}`)
  const record = path.join(records, `${suite.name}.json`)
  await mkdir(records, { recursive: true })
  await rm(record, { force: true })
  const started = performance.now()
  const budgetSeconds = budgetOf(suite, started / 1000)
  const taken = (): number => (performance.now() - started) / 1000
  const unready = await preparation?.ready(budgetSeconds * 1000)
  if (unready !== undefined) return { suite: suite.name, tests: [], objections: [unready], seconds: taken() }
  const { exitCode, overBudget } = await execute(suite, budgetSeconds - taken(), record)
  const seconds = taken()
  if (!suite.records) {
    const state = exitCode === 0 ? 'passed' : 'failed'
    const objections = overBudget ? [`${suite.name} took longer than its ${Math.round(budgetSeconds)} s and was stopped`] : []
    return { suite: suite.name, tests: overBudget ? [] : [{ name: suite.name, state, note: null }], objections, seconds }
  }
  const tests = await readRecord(record)
  const objections = objectionsTo({
    suite: suite.name,
    tests,
    exitCode,
    overBudget,
    budgetSeconds,
    mustRun: suite.mustRun,
  })
  return { suite: suite.name, tests: tests ?? [], objections, seconds }
}

async function readRecord(file: string): Promise<RecordedTest[] | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as RecordedTest[]
  } catch {
    return null
  }
}

/** Runs in a process group of its own, so that a suite over its budget ends with everything that it started. */
function execute(suite: Suite, budgetSeconds: number, record: string): Promise<{ exitCode: number | null; overBudget: boolean }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [suite.script, ...suite.arguments], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
      env: {
        ...process.env,
        BITWITNESS_TEST_RECORD: record,
        PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}`,
      },
    })
    let overBudget = false
    const signalGroup = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal)
      } catch {
        // The group is gone already.
      }
    }
    const forward = (): void => signalGroup('SIGINT')
    process.on('SIGINT', forward)
    let kill: NodeJS.Timeout | undefined
    const budget = setTimeout(() => {
      overBudget = true
      signalGroup('SIGTERM')
      kill = setTimeout(() => signalGroup('SIGKILL'), 15_000)
    }, budgetSeconds * 1000)
    const end = (exitCode: number | null): void => {
      clearTimeout(budget)
      clearTimeout(kill)
      process.off('SIGINT', forward)
      resolve({ exitCode, overBudget })
    }
    child.on('error', () => end(null))
    child.on('exit', (code) => end(code))
  })
}
