import { visible } from '../../../verifier/model/visible.ts'
import type { ImpactApp, PolicyImpact } from '../../app/gate/policy-impact.ts'
import { paint } from './paint.ts'

const VERDICTS: Readonly<Record<PolicyImpact['verdict'], string>> = {
  harmless: 'harmless: nothing that is allowed now would be denied',
  denies: 'denies: something that is allowed now would not be',
  unknown: 'unknown: there are more apps than were looked at, of which nothing would be denied',
}
/** What would be denied comes first. */
const ORDER: readonly ImpactApp['change'][] = ['denied', 'allowed', 'none']

/** What a policy would do, for people: each app before and after, and by which rules. */
export function impactLines(impact: PolicyImpact, { color }: { readonly color: boolean }): string[] {
  const brushes = paint(color)
  const { verdict, policy, apps, since, complete } = impact
  const brush = verdict === 'harmless' ? brushes.good : verdict === 'denies' ? brushes.bad : brushes.unsure
  const mode = (word: string | null): string => word ?? 'cannot be followed'
  return [
    brush(VERDICTS[verdict]),
    `  policy ${visible(policy.name)}`,
    `  now   ${policy.before.sha256} (${mode(policy.before.mode)})`,
    `  then  ${policy.after.sha256} (${mode(policy.after.mode)})`,
    `  ${apps.length} ${apps.length === 1 ? 'app-compose' : 'app-composes'} asked about since ${since}${complete ? '' : ', and more that were not looked at'}`,
    ...ORDER.flatMap((change) => apps.filter((app) => app.change === change)).flatMap((app) => ['', ...appLines(app, brushes)]),
  ]
}

function appLines(app: ImpactApp, brushes: ReturnType<typeof paint>): string[] {
  const { change, before, after, guest, rules } = app
  const said = (side: ImpactApp['before']): string => {
    if (side === null) return 'deny'
    return side.decision === side.judged ? side.decision : `${side.decision} (observed only: ${side.judged})`
  }
  const words = `${said(before)} → ${said(after)}`
  const denying = (change === 'allowed' ? before?.failed : after.failed) ?? []
  return [
    `${change === 'denied' ? brushes.bad(words) : change === 'allowed' ? brushes.good(words) : words}  app ${app.app}, compose hash ${app.composeHash}`,
    guest === null
      ? '  no guest of it is known: nothing was asked of one'
      : `  guest image ${guest.osImageHash}, machine ${visible(guest.deviceId)}`,
    ...denying
      .filter(({ rule }) => change === 'none' || rules.includes(rule))
      .map(({ rule, subject, reason }) => `  ${brushes.strong(rule)}  ${visible(subject)}: ${visible(reason)}`),
  ]
}
