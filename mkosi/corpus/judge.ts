import type { CheckReport } from '../../verifier/model/report.ts'
import type { Expected } from './expected.ts'

/**
 * - `false-accept`: called repeatable what is not, the error that matters most.
 * - `false-reject`: called anything else what is repeatable.
 * - `wrong-reason`: the right side of that line, but not for what the case is about.
 */
export type Mistake = 'false-accept' | 'false-reject' | 'wrong-reason'

export type Judgement = {
  readonly label: string
  readonly mistake: Mistake | null
  /** What differs from the label, as short sentences. */
  readonly complaints: readonly string[]
}

/** Holds a report against the label: pure. */
export function judge(expected: Expected, report: CheckReport): Judgement {
  const complaints = [...objections(expected, report)]
  return { label: expected.label, mistake: complaints.length === 0 ? null : mistakeOf(expected, report), complaints }
}

function mistakeOf(expected: Expected, report: CheckReport): Mistake {
  const [want, got] = [expected.verdict.check, report.verdict]
  if (want !== 'repeatable' && got === 'repeatable') return 'false-accept'
  if (want === 'repeatable' && got !== 'repeatable') return 'false-reject'
  return 'wrong-reason'
}

function* objections(expected: Expected, report: CheckReport): Generator<string> {
  const { verdict, attempts, recipeFindings, findings } = report
  if (verdict !== expected.verdict.check) {
    const reasons = report.reasons.map((reason) => `${reason.code}: ${reason.message}`)
    yield `verdict ${verdict} instead of ${expected.verdict.check} (${reasons.join('; ') || 'no reason'})`
  }
  if (expected.outcome === null && attempts.length > 0) yield 'something ran of a recipe that is to be refused'
  for (const attempt of attempts) {
    const which = `attempt ${attempt.number}`
    if (expected.outcome !== null && attempt.outcome !== expected.outcome)
      yield `${which} ended as ${attempt.outcome}, not ${expected.outcome}`
    if (attempt.limit !== expected.limit) yield `${which} hit ${attempt.limit ?? 'no limit'} instead of ${expected.limit ?? 'none'}`
    if (expected.reason !== null && attempt.reason?.code !== expected.reason)
      yield `${which} says ${attempt.reason?.code ?? 'nothing'} instead of ${expected.reason}`
    const formats = new Set(attempt.artifacts.map((artifact) => artifact.format))
    if (attempt.outcome === 'built' && expected.format !== null && !formats.has(expected.format)) yield `${which} has no ${expected.format}`
  }
  const rules = new Set(recipeFindings.map((finding) => finding.rule))
  for (const rule of expected.rules) if (!rules.has(rule)) yield `the recipe rule ${rule} is silent`
  for (const { rule, severity } of recipeFindings)
    if (severity === 'refuse' && !expected.rules.includes(rule)) yield `the recipe rule ${rule} refuses`
  const explained = new Set(findings.map((finding) => finding.rule))
  for (const rule of expected.findings) if (!explained.has(rule)) yield `the explain rule ${rule} is silent`
}
