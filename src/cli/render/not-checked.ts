import { type NotChecked, notChecked } from '../../../verifier/model/not-checked.ts'
import type { CheckReport, VerificationReport } from '../../../verifier/model/report.ts'
import { visible } from '../../../verifier/model/visible.ts'

const SENTENCES: Readonly<Record<NotChecked, string>> = {
  'source-ref': 'the commit is reachable from no branch or tag of the repository: it may come from a fork',
  'source-history': 'who wrote the source: an archive or folder has no history',
  apparmor: 'no AppArmor profile was enforced around the builds',
  'kernel-shared': 'the builds shared this machine’s kernel: a flaw in it could let one reach out',
  replay: 'no attempt ran without a network: whether the lock is complete is not shown',
  difference: 'why bits differ',
  'source-honesty': 'what the source does, and whether it is free of flaws: the verdict is about bits',
}

/** What a reader might take as checked and is not, in sentences. */
export function notCheckedLines(report: VerificationReport | CheckReport): string[] {
  const { reason } = report.explanation
  return notChecked(report).map((one) =>
    one === 'difference' && reason !== null ? `${SENTENCES[one]}: ${visible(reason)}` : SENTENCES[one],
  )
}
