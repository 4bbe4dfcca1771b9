import { z } from 'zod'
import type { CheckReport, VerificationReport } from './report.ts'

/**
 * What a reader might take as checked and is not. `source-ref`: the commit is reachable from no branch or tag. `source-history`: an
 * archive or folder has none. `apparmor`: no profile was enforced around the builds. `kernel-shared`: the builds shared the machine's
 * kernel. `replay`: no attempt ran without a network. `difference`: why bits differ. `source-honesty`: what the source does.
 */
export const NotChecked = z.enum(['source-ref', 'source-history', 'apparmor', 'kernel-shared', 'replay', 'difference', 'source-honesty'])
export type NotChecked = z.infer<typeof NotChecked>

/** In a fixed order; `source-honesty` is always the last. */
export function notChecked({ source, attempts, explanation }: VerificationReport | CheckReport): NotChecked[] {
  const built = attempts.some((attempt) => attempt.outcome === 'built')
  const seen: Record<NotChecked, boolean> = {
    'source-ref': source.kind === 'git' && source.ref === null,
    'source-history': source.kind === 'archive',
    apparmor: attempts.some((attempt) => attempt.sandbox?.apparmor === 'absent'),
    'kernel-shared': attempts.some((attempt) => attempt.sandbox?.isolation === 'shared-kernel'),
    replay: built && !attempts.some((attempt) => attempt.mode === 'replay'),
    difference: explanation.state !== 'complete',
    'source-honesty': true,
  }
  return NotChecked.options.filter((one) => seen[one])
}
