import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { type AskGate, askGate } from './ask-gate.ts'
import type { Decision } from './decision.ts'

export type DecideDeployment = Omit<AskGate, 'subject' | 'boot'> & {
  readonly appCompose: Uint8Array
  readonly appId: string
  /** As the target offers them; null: it does not say. */
  readonly osImageHash: Sha256 | null
  readonly deviceId: string | null
}

/**
 * Asks the gate about what a target offers, before it is started. The target’s word for guest image and machine is held against the policy as if a
 * KMS said it: the KMS measures both again. Fails as `askGate` does.
 */
export async function decideDeployment(ports: Parameters<typeof askGate>[0], o: DecideDeployment): Promise<Decision> {
  const { appCompose, appId, osImageHash, deviceId, ...asked } = o
  const boot = { by: 'target' as const, appId, composeHash: digestOf(appCompose), osImageHash, deviceId, tcb: null }
  return await askGate(ports, { ...asked, subject: { appCompose, appId }, boot })
}
