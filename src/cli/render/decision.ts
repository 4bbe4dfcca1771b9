import { visible } from '../../../verifier/model/visible.ts'
import type { Decision } from '../../app/gate/decision.ts'
import { paint } from './paint.ts'

/** A decision for people: what, by which policy, and every rule with its reason. */
export function decisionLines({ decision, judged, mode, policy, app, rules }: Decision, { color }: { readonly color: boolean }): string[] {
  const brushes = paint(color)
  const brush = { pass: brushes.good, fail: brushes.bad, skip: brushes.faint }
  return [
    decision === 'allow' ? brushes.good(decision) : brushes.bad(decision),
    ...(mode === 'observe' ? [`  ${brushes.unsure('OBSERVED ONLY')}: the policy does not enforce; enforced, this would be ${judged}`] : []),
    `  by policy ${visible(policy.name)}, ${policy.sha256}`,
    ...(app === null ? [] : [`  app ${app.id}, compose hash ${app.composeHash}`]),
    '',
    ...rules.map(
      ({ rule, result, subject, reason }) => `  ${brush[result](result)}  ${brushes.strong(rule)}  ${visible(subject)}: ${visible(reason)}`,
    ),
  ]
}
