import type { DeploymentEvent } from './deployment.ts'

export type Ending = Extract<DeploymentEvent, { kind: 'ended' }>['why']

/** Message and hint, as a Failure has them. */
const ENDINGS = {
  'deployment-denied': ['the policy denies it', 'the decision says which rules failed: nothing was left running'],
  'deployment-unpredicted': [
    'the target would measure another app-compose than the one that was ordered, and does not show it beforehand',
    'order with the bytes that the target makes, as an earlier deployment attests them, or let it start without secrets by that option',
  ],
  'deployment-compose-differs': [
    'the guest attests another app-compose than the target offered',
    'it was stopped: ask whoever runs the target',
  ],
  'deployment-app-differs': [
    'the target gives it another app id than the one that was ordered',
    'order without an app id, or with the one that the target gives',
  ],
  'deployment-boot-failed': [
    'the guest did not boot',
    'the target’s own log says why; where its KMS asks this service, GET /v1/apps/{app}/decisions has the answer',
  ],
  'deployment-stopped': ['the guest was stopped', 'order it again, if it is to run'],
  'deployment-gone': [
    'it ran, and is stopped or gone now',
    'nothing was started: start the guest where it is, or move the state file away and run the command again, which orders it anew',
  ],
  'deployment-replaced': [
    'the guest runs another app-compose now than the one that was deployed',
    'nothing was changed: ask whoever runs the target, or deploy that app-compose, so that the policy is asked about it',
  ],
  'deployment-given-up': [
    'the target, or something else that is needed, was away for too long',
    'look at the target for what may lie or run there of this, and order it again',
  ],
  'deployment-boot-time-limit': [
    'the guest was not running within twenty minutes',
    'it was left as it is unless nobody had seen what it runs: look at it where it is',
  ],
} as const

/** Why a deployment ended, by a code of ours. */
export function endingOf(code: keyof typeof ENDINGS): Ending {
  const [message, hint] = ENDINGS[code]
  return { code, message, hint }
}
