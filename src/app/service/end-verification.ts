import type { OutcomeReason } from '../../../verifier/model/attempt.ts'
import type { Tier } from '../../../verifier/model/comparison.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { Verdict, VerdictReason } from '../../../verifier/model/verdict.ts'
import type { BlobRole, Subject } from '../store/records.ts'
import type { Unit } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { applyEvent } from './apply-event.ts'
import { holdVerification } from './hold-verification.ts'
import type { ServiceFacts } from './service-events.ts'

export type StoredDecision = {
  readonly verdict: Verdict
  readonly tier: Tier | null
  readonly reasons: readonly VerdictReason[]
  readonly builder: Sha256 | null
  /** The report, which is in the store of blobs already, as everything in `blobs` is. Null where not even the source could be pinned. */
  readonly report: Sha256 | null
  readonly artifacts: readonly Subject[]
  readonly blobs: readonly { readonly sha256: Sha256; readonly size: number; readonly role: BlobRole }[]
  /** Types of the statements that are to be signed about it; none where it is undecided, which says nothing about the image. */
  readonly statements: readonly string[]
}

const NONE: OutcomeReason = { code: 'none', message: '', data: {} }
const CANCELLED: OutcomeReason = { code: 'cancelled', message: 'the verification was cancelled', data: {} }

/**
 * Gives a verification its verdict and plans what is to be signed about it. The same verdict again changes nothing. Fails with
 * `attempts-open` or `verification-over`.
 */
export async function decide(ports: ServicePorts, verificationId: string, decision: StoredDecision): Promise<void> {
  const given = await ports.unitOfWork.run((unit) => giveVerdict(unit, ports, { verificationId, decision }))
  if (given !== null) ports.events?.verdictGiven?.(given)
}

/** The same within a transaction; gives what is to be told once that is over, null where nothing changed. */
export async function giveVerdict(
  unit: Unit,
  { now, newId }: Pick<ServicePorts, 'now' | 'newId'>,
  { verificationId, decision }: { readonly verificationId: string; readonly decision: StoredDecision },
): Promise<ServiceFacts['verdictGiven'] | null> {
  const { verdict, tier, reasons, builder, report, artifacts, blobs } = decision
  const held = await holdVerification(unit, verificationId)
  const at = now()
  const event = { kind: 'decide', verdict, tier } as const
  if (!(await applyEvent(unit, { verificationId, held, event, at, newId, reason: NONE })).changed) return null
  for (const blob of blobs) await unit.blobs.refer({ ...blob, verificationId, at })
  await unit.verifications.finish(verificationId, { verdict, tier, reasons, builder, report, artifacts, at })
  await unit.notices.send('verdicts', verificationId)
  for (const predicateType of verdict === 'undecided' ? [] : decision.statements)
    if (await unit.attestations.plan({ verificationId, predicateType, at }))
      await unit.jobs.enqueue('signing', { verificationId, predicateType })
  if (held.submission.callbackUrl !== null) await unit.jobs.enqueue('callback', { verificationId })
  return { verification: verificationId, verdict, tier, seconds: (at.getTime() - held.createdAt.getTime()) / 1000 }
}

/** Cancels a verification, and its attempts that are not committed. Again changes nothing. Fails with `verification-over`. */
export async function cancelVerification(ports: ServicePorts, verificationId: string): Promise<void> {
  const owner = await ports.unitOfWork.run(async (unit) => {
    const held = await holdVerification(unit, verificationId)
    const at = ports.now()
    const { changed } = await applyEvent(unit, {
      verificationId,
      held,
      event: { kind: 'cancel' },
      at,
      newId: ports.newId,
      reason: CANCELLED,
    })
    if (!changed) return null
    for (const { id, life, route } of held.attempts) if (life.state !== 'committed') await unit.jobs.cancel(`attempt-${route}`, id)
    await unit.verifications.cancel(verificationId, at)
    return held.submission.ownerId
  })
  if (owner !== null) ports.events?.verificationCancelled?.({ verification: verificationId, owner })
}
