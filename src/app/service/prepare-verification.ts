import type { OutcomeReason } from '../../../verifier/model/attempt.ts'
import type { Prepared } from '../store/records.ts'
import type { Unit } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { applyEvent } from './apply-event.ts'
import { holdVerification } from './hold-verification.ts'
import type { ServiceFacts } from './service-events.ts'

/** Nothing that was begun ends by it. */
const NONE: OutcomeReason = { code: 'none', message: '', data: {} }

/**
 * Notes where the source of a verification is pinned and what its recipe says, and opens its first attempts. Again changes nothing: what
 * was prepared first stays. Fails with `verification-unknown`, or `verification-over` where it ended without having been prepared.
 */
export async function markPrepared(ports: ServicePorts, verificationId: string, prepared: Prepared): Promise<void> {
  const opened = await ports.unitOfWork.run((unit) => openPrepared(unit, ports, { verificationId, prepared }))
  if (opened !== null) ports.events?.submissionPrepared?.(opened)
}

/** The same within a transaction; gives what is to be told once that is over, null where nothing changed. */
export async function openPrepared(
  unit: Unit,
  { now, newId }: Pick<ServicePorts, 'now' | 'newId'>,
  { verificationId, prepared }: { readonly verificationId: string; readonly prepared: Prepared },
): Promise<ServiceFacts['submissionPrepared'] | null> {
  const held = { ...(await holdVerification(unit, verificationId)), prepared }
  const happening = { verificationId, held, event: { kind: 'prepare' }, at: now(), newId, reason: NONE } as const
  if (!(await applyEvent(unit, happening)).changed) return null
  await unit.verifications.prepare(verificationId, prepared)
  return { verification: verificationId, architecture: prepared.architecture, locked: prepared.lock !== null }
}
