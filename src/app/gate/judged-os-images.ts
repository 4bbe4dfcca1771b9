import type { Sha256 } from '../../../verifier/model/digest.ts'
import { type AttestationsOf, attestedFacts } from './attested-facts.ts'
import type { Decided } from './auth-simple.ts'
import { decideGate } from './decide-gate.ts'
import type { LoadedPolicy } from './read-policy.ts'

/** What a policy says of each guest image that it lists, by the rule that asks about guests: null where it is allowed, or why not. */
export async function judgedOsImages(policy: LoadedPolicy, now: Date, attestationsOf: AttestationsOf): Promise<Decided['osImages']> {
  const judged: Decided['osImages'][number][] = []
  for (const hash of Object.keys(policy.policy.osImages) as Sha256[]) {
    const { osImage } = await attestedFacts(policy.policy, { images: [], osImageHash: hash }, attestationsOf)
    const { rules } = decideGate(policy, { now, images: [], app: null, guest: { by: 'kms', osImage, deviceId: null, tcb: null } })
    const said = rules.find(({ rule }) => rule === 'os-image')
    judged.push({ hash, denied: said?.result === 'pass' ? null : (said?.reason ?? 'it was not found out') })
  }
  return judged
}
