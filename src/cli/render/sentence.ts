import type { CheckReport, VerificationReport } from '../../../verifier/model/report.ts'

/** What the verdict means, in one sentence that claims no more than was seen. */
export function sentenceOf(report: VerificationReport | CheckReport): string {
  switch (report.verdict) {
    case 'reproduced':
      return 'tier' in report && report.tier === 'content-equal'
        ? 'every attempt built what is claimed, after the transformations below'
        : 'every attempt built exactly the claimed bytes'
    case 'repeatable':
      return 'every attempt built the same bytes'
    case 'mismatch':
      return report.attempts.length === 1
        ? 'the attempt built something else than what is claimed'
        : 'the attempts agree with each other, and not with what is claimed'
    case 'nondeterministic':
      return 'the attempts do not agree with each other'
    case 'build-failed':
      return 'the recipe did not build'
    case 'refused':
      return 'the recipe breaks a rule; nothing of it counts as built'
    case 'undecided':
      return 'we could not find out; this says nothing about the image'
    case null:
      return 'interrupted before there was a verdict'
  }
}
