import type { Expected } from './expected.ts'
import type { Judgement, Mistake } from './judge.ts'

export type Row = { readonly expected: Expected; readonly judgement: Judgement; readonly verdict: string; readonly seconds: number }

export type Totals = Readonly<Record<Mistake, number>> & { readonly cases: number; readonly seconds: number }

export function totalsOf(rows: readonly Row[]): Totals {
  const count = (mistake: Mistake): number => rows.filter((row) => row.judgement.mistake === mistake).length
  return {
    cases: rows.length,
    seconds: rows.reduce((sum, row) => sum + row.seconds, 0),
    'false-accept': count('false-accept'),
    'false-reject': count('false-reject'),
    'wrong-reason': count('wrong-reason'),
  }
}

/** One line a case, complaints below it. */
export function rowText({ expected, judgement, verdict, seconds }: Row): string {
  const mark = judgement.mistake === null ? 'ok' : judgement.mistake.toUpperCase()
  const line = `${mark.padEnd(12)} ${expected.kind.padEnd(12)} ${expected.label.padEnd(24)} ${verdict.padEnd(16)} ${seconds.toFixed(1).padStart(6)} s`
  return [line, ...judgement.complaints.map((complaint) => `             ${complaint}`)].join('\n')
}

export function totalsText(totals: Totals): string {
  const { cases, seconds } = totals
  return `${cases} cases in ${seconds.toFixed(0)} s: ${totals['false-accept']} false accepts, ${totals['false-reject']} false rejects, ${totals['wrong-reason']} for a wrong reason`
}
