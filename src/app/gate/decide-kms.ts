import type { BootInfo } from './boot-info.ts'
import { stateRefused } from './platform-state.ts'
import type { Policy } from './policy.ts'

export type KmsDecision = { readonly judged: 'allow' | 'deny'; readonly reason: string }

/** Whether this may be a KMS: by its own measurements, its guest image and its machine, all of which the policy names. A pure function. */
export function decideKms({ kms, tcb }: Pick<Policy, 'kms' | 'tcb'>, info: BootInfo): KmsDecision {
  if (kms === null) return deny('the policy names no KMS')
  if (!kms.mrAggregated.includes(info.mrAggregated))
    return deny(`the policy does not name these measurements of a KMS: mrAggregated ${info.mrAggregated}`)
  if (!kms.osImages.includes(info.osImageHash)) return deny(`the policy does not name this guest image of a KMS: ${info.osImageHash}`)
  if (kms.devices !== 'any' && !kms.devices.includes(info.deviceId)) return deny('the policy does not name this machine of a KMS')
  if (tcb === null || info.tcb === null) return deny('the policy does not take this state of the platform')
  if (!tcb.statuses.includes(info.tcb.status)) return deny(stateRefused(tcb, info.tcb.status))
  if (!info.tcb.advisories.every((one) => tcb.advisories.includes(one))) return deny('an advisory stands against the platform')
  return { judged: 'allow', reason: 'the policy names this KMS' }
}

function deny(reason: string): KmsDecision {
  return { judged: 'deny', reason }
}
