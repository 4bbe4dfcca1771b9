/** Folders that are linted: everything we write. */
export const LINTED = ['src', 'verifier', 'attestations', 'tools', 'test', 'bench', 'mkosi', 'vitest.config.ts'] as const

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
}

/** What `npm test` runs, in this order. The budgets add up to less than an hour. */
export const SUITES: readonly Suite[] = [
  tool('format', 'node_modules/@biomejs/biome/bin/biome', ['ci', '--colors=off', '.'], 30),
  tool('lint', 'node_modules/oxlint/bin/oxlint', [...LINTED], 60),
  tool('types', 'node_modules/typescript/bin/tsc', ['-p', '.'], 60),
  tool('dead-code', 'node_modules/knip/bin/knip.js', ['--no-progress'], 120),
  project('unit', 360),
  project('house', 300),
  { ...project('interop', 240), mustRun: true },
  { ...project('docker', 2400), mustRun: true },
]

function tool(name: string, script: string, args: readonly string[], budgetSeconds: number): Suite {
  return { name, script, arguments: args, budgetSeconds, records: false, mustRun: false }
}

function project(name: string, budgetSeconds: number): Suite {
  const args = ['run', '--project', name, '--passWithNoTests', '--reporter=default', '--reporter=./tools/vitest-record.ts']
  return { name, script: 'node_modules/vitest/vitest.mjs', arguments: args, budgetSeconds, records: true, mustRun: false }
}
