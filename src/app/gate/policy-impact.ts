import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { type Decision, RuleResult } from './decision.ts'

export const POLICY_IMPACT_SCHEMA = 'bitwitness/policy-impact/v1'

const Mode = z.enum(['enforce', 'observe'])
const Word = z.enum(['allow', 'deny'])
const Side = z.strictObject({
  decision: Word.describe('What whoever asks is told.'),
  judged: Word.describe('What the rules come to.'),
  failed: z.array(RuleResult),
})

/** What another policy would do to one app. */
export const ImpactApp = z.strictObject({
  app: z.string(),
  composeHash: Sha256,
  lastAt: z.iso.datetime().describe('When it was last asked about, or deployed.'),
  guest: z
    .strictObject({ by: z.enum(['kms', 'gateway', 'target']), osImageHash: Sha256, deviceId: z.string() })
    .nullable()
    .describe('The guest that both were asked about: the one that was let in last. Null: none is known, and nothing was asked of one.'),
  change: z.enum(['denied', 'allowed', 'none']),
  before: Side.nullable().describe('Null: the policy that is there cannot be followed, and denies whatever is asked.'),
  after: Side,
  rules: z.array(z.string()).describe('Those that make the difference.'),
})
export type ImpactApp = z.infer<typeof ImpactApp>

/** What a new policy would do to the apps that run now. */
export const PolicyImpact = z.strictObject({
  schema: z.literal(POLICY_IMPACT_SCHEMA),
  verdict: z
    .enum(['harmless', 'denies', 'unknown'])
    .describe(
      '`denies`: something that is allowed now would not be. `unknown`: nothing of the kind was found, and there are more apps than were looked at.',
    ),
  at: z.iso.datetime(),
  policy: z.strictObject({
    name: z.string().describe('Of the policy that it would replace.'),
    before: z.strictObject({ sha256: Sha256, mode: Mode.nullable() }),
    after: z.strictObject({ sha256: Sha256, mode: Mode }),
  }),
  since: z.iso.datetime().describe('What was asked about last before this is not looked at.'),
  complete: z.boolean(),
  apps: z.array(ImpactApp),
})
export type PolicyImpact = z.infer<typeof PolicyImpact>

/** How one app fares before and after. A pure function. */
export function impactOn(before: Decision | null, after: Decision): Pick<ImpactApp, 'change' | 'before' | 'after' | 'rules'> {
  const [was, will] = [before?.decision ?? 'deny', after.decision]
  const change = was === will ? 'none' : will === 'deny' ? 'denied' : 'allowed'
  return { change, before: before === null ? null : side(before), after: side(after), rules: differing(before, after, change) }
}

function side({ decision, judged, rules }: Decision): z.infer<typeof Side> {
  return { decision, judged, failed: rules.filter(({ result }) => result === 'fail') }
}

/** Rules that fail on one side alone; where the same fail on both, it is the mode that makes the difference, and all of them are what denies. */
function differing(before: Decision | null, after: Decision, change: ImpactApp['change']): string[] {
  if (change === 'none') return []
  const failing = (decision: Decision | null): ReadonlySet<string> =>
    new Set(decision?.rules.filter(({ result }) => result === 'fail').map(({ rule }) => rule) ?? [])
  const [denying, other] = change === 'denied' ? [failing(after), failing(before)] : [failing(before), failing(after)]
  const alone = [...denying].filter((rule) => !other.has(rule))
  // Nothing is looked up of an app that is not listed: the rest follows from that.
  if (alone.includes('app-listed')) return ['app-listed']
  return alone.length > 0 ? alone : [...denying]
}
