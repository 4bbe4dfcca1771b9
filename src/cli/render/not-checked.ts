import type { CheckReport, VerificationReport } from '../../../verifier/model/report.ts'
import { visible } from '../visible.ts'

/** What a reader might take as checked and is not. */
export function notChecked(report: VerificationReport | CheckReport): string[] {
  const { source, attempts, explanation } = report
  const built = attempts.some((attempt) => attempt.outcome === 'built')
  return [
    ...(source.kind === 'git' && source.ref === null
      ? ['the commit is reachable from no branch or tag of the repository: it may come from a fork']
      : []),
    ...(source.kind === 'archive' ? ['who wrote the source: an archive or folder has no history'] : []),
    ...(attempts.some((attempt) => attempt.sandbox?.apparmor === 'absent') ? ['no AppArmor profile was enforced around the builds'] : []),
    ...(attempts.some((attempt) => attempt.sandbox?.isolation === 'shared-kernel')
      ? ['the builds shared this machine’s kernel: a flaw in it could let one reach out']
      : []),
    ...(built && !attempts.some((attempt) => attempt.mode === 'replay')
      ? ['no attempt ran without a network: whether the lock is complete is not shown']
      : []),
    ...(explanation.state === 'complete'
      ? []
      : [`why bits differ${explanation.reason === null ? '' : `: ${visible(explanation.reason)}`}`]),
    'what the source does, and whether it is free of flaws: the verdict is about bits',
  ]
}
