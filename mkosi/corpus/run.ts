import type { CheckReport } from '../../verifier/model/report.ts'
import type { Case, CaseLimits } from './expected.ts'
import { judge } from './judge.ts'
import { type Row, rowText, type Totals, totalsOf } from './table.ts'

/** Two attempts at a recipe's folder, within the case's limits. */
export type CheckCase = (recipe: string, limits: CaseLimits) => Promise<CheckReport>

export type CorpusRun = { readonly rows: readonly Row[]; readonly totals: Totals }

/** Checks case after case, telling each as it ends. A case that cannot be checked at all stops the run: that is no verdict. */
export async function runCorpus(cases: readonly Case[], check: CheckCase, tell: (line: string) => void): Promise<CorpusRun> {
  const rows: Row[] = []
  for (const { expected, recipe } of cases) {
    const from = performance.now()
    const report = await check(recipe, expected.limits ?? {})
    const seconds = (performance.now() - from) / 1000
    const row: Row = { expected, judgement: judge(expected, report), verdict: report.verdict ?? 'cancelled', seconds }
    rows.push(row)
    tell(rowText(row))
  }
  return { rows, totals: totalsOf(rows) }
}
