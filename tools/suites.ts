/** Folders that are linted: everything we write. */
export const LINTED = ['action', 'src', 'verifier', 'attestations', 'tools', 'test', 'bench', 'mkosi', 'vitest.config.ts'] as const

export type Suite = {
  readonly name: string
  /** Run by the Node that runs us, from the project's root. */
  readonly script: string
  readonly arguments: readonly string[]
  readonly budgetSeconds: number
  /** Records each test through tools/vitest-record.ts; a suite that does not counts as one test. */
  readonly records: boolean
  /** A skipped test fails the suite. */
  readonly mustRun: boolean
  /** What it waits for within its budget: the servers of BITWITNESS_LAB, where that is set. */
  readonly preparation?: 'lab'
}

/** All suites together, on two cores. */
export const WHOLE_RUN_SECONDS = 3600

/** What `npm test` runs, in this order; none longer than its budget, nor than what is left of the whole. */
export const SUITES: readonly Suite[] = [
  tool('format', 'node_modules/@biomejs/biome/bin/biome', ['ci', '--colors=off', '.'], 30),
  tool('lint', 'node_modules/oxlint/bin/oxlint', [...LINTED], 60),
  tool('types', 'node_modules/typescript/bin/tsc', ['-p', '.'], 180),
  tool('dead-code', 'node_modules/knip/bin/knip.js', ['--no-progress'], 120),
  project('unit', 720),
  project('house', 360),
  { ...project('store', 1500), mustRun: true },
  { ...project('interop', 300), mustRun: true },
  { ...project('docker', 2700), mustRun: true },
  // After those, which make the builder image.
  { ...project('docker-pairs', 1200), mustRun: true },
  // The last: its servers are built from the start of the run, on what the other suites leave idle. What is left of that counts as well.
  { ...project('lab', 420), preparation: 'lab' },
]

function tool(name: string, script: string, args: readonly string[], budgetSeconds: number): Suite {
  return { name, script, arguments: args, budgetSeconds, records: false, mustRun: false }
}

function project(name: string, budgetSeconds: number): Suite {
  const args = ['run', '--project', name, '--passWithNoTests', '--reporter=default', '--reporter=./tools/vitest-record.ts']
  return { name, script: 'node_modules/vitest/vitest.mjs', arguments: args, budgetSeconds, records: true, mustRun: false }
}

/** Seconds that a suite may take where the run has gone on for `seconds`. */
export function budgetOf({ budgetSeconds }: Pick<Suite, 'budgetSeconds'>, seconds: number): number {
  return Math.max(0, Math.min(budgetSeconds, WHOLE_RUN_SECONDS - seconds))
}
