import { fail, type GateRule, GUEST, pass, skip } from '../gate-rule.ts'
import { stateRefused } from '../platform-state.ts'

export const tcb: GateRule = {
  id: 'tcb',
  text: 'The platform’s state is one that the policy names (UpToDate), and every advisory that stands against it is one that the policy puts up with.',
  *check({ policy, facts: { guest } }) {
    if (guest === null) return yield skip(GUEST, 'nothing runs yet')
    if (guest.by !== 'kms' && guest.tcb === null) return yield skip(GUEST, `a ${guest.by} does not say the state of the platform`)
    if (policy.tcb === null) return yield fail(GUEST, 'the policy does not say which states of the platform it takes')
    if (guest.tcb === null) return yield fail(GUEST, 'the state of the platform is not said')
    const { status, advisories } = guest.tcb
    if (!policy.tcb.statuses.includes(status)) return yield fail(GUEST, stateRefused(policy.tcb, status))
    const against = advisories.filter((one) => !policy.tcb?.advisories.includes(one))
    yield against.length === 0
      ? pass(GUEST, 'the policy takes this state of the platform')
      : fail(
          GUEST,
          `${against.length} ${against.length === 1 ? 'advisory stands' : 'advisories stand'} against the platform that the policy does not put up with`,
        )
  },
}
