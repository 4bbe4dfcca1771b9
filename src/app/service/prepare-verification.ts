import type { OutcomeReason } from '../../../verifier/model/attempt.ts'
import type { Prepared } from '../store/records.ts'
import type { ServicePorts } from './accept-verification.ts'
import { applyEvent } from './apply-event.ts'
import { holdVerification } from './hold-verification.ts'

/** Nothing that was begun ends by it. */
const NONE: OutcomeReason = { code: 'none', message: '', data: {} }

/**
 * Notes where the source of a verification is pinned and what its recipe says, and opens its first attempts. Again changes nothing: what
 * was prepared first stays. Fails with `verification-unknown`, or `verification-over` where it ended without having been prepared.
 */
export async function markPrepared(ports: ServicePorts, verificationId: string, prepared: Prepared): Promise<void> {
  const changed = await ports.unitOfWork.run(async (unit) => {
    const held = { ...(await holdVerification(unit, verificationId)), prepared }
    const happening = { verificationId, held, event: { kind: 'prepare' }, at: ports.now(), newId: ports.newId, reason: NONE } as const
    const step = await applyEvent(unit, happening)
    if (step.changed) await unit.verifications.prepare(verificationId, prepared)
    return step.changed
  })
  const { architecture, lock } = prepared
  if (changed) ports.events?.submissionPrepared?.({ verification: verificationId, architecture, locked: lock !== null })
}
