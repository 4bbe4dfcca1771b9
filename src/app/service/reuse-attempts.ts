import type { OutcomeReason } from '../../../verifier/model/attempt.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { BlobRole, Prepared, StoredAttempt, StoredTry } from '../store/records.ts'
import type { HeldVerification, Unit } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { applyEvent } from './apply-event.ts'
import type { ServiceFacts } from './service-events.ts'
import { retriedOf } from './stored-attempts.ts'

const NONE: OutcomeReason = { code: 'none', message: '', data: {} }

/** What attempts left that whoever reads their reports needs. The rest of an earlier verification is its own. */
const CARRIED: readonly BlobRole[] = ['log', 'lock', 'tree-manifest', 'artifact', 'builder']

/**
 * Answers a verification by the attempts of an earlier one, where its owner allows that and there is one: the same source, lock,
 * architecture and builder, rebuilt by as many attempts, not too long ago, of which all is still kept. The builder is the one that was named,
 * or `current`, which attempts would be made in now; where nobody can say which that is, nothing answers. Gives what is to be told
 * once the transaction is over; null where there is none.
 */
export async function reuseAttempts(
  unit: Unit,
  { now, newId }: Pick<ServicePorts, 'now' | 'newId'>,
  o: { readonly verificationId: string; readonly held: HeldVerification; readonly prepared: Prepared; readonly current: Sha256 | null },
): Promise<ServiceFacts['submissionReused'] | null> {
  const { verificationId, held, prepared } = o
  const { maxAgeSeconds, attempts: wanted } = held.submission
  const builder = held.submission.builder ?? o.current
  if (maxAgeSeconds === null || builder === null) return null
  const at = now()
  const since = new Date(at.getTime() - maxAgeSeconds * 1000)
  const from = await unit.verifications.rebuilt({ prepared, attempts: wanted, builder, since })
  if (from === undefined) return null
  const earlier = await unit.attempts.of(from)
  const kept = await unit.blobs.of(from)
  const known = new Set(kept.map(({ sha256 }) => sha256))
  if (!earlier.flatMap(leftBy).every((sha256) => known.has(sha256))) return null
  await unit.verifications.prepare(verificationId, prepared)
  await unit.verifications.reuse(verificationId, from)
  for (const { sha256, size, role } of kept) if (CARRIED.includes(role)) await unit.blobs.refer({ sha256, size, role, verificationId, at })
  for (const attempt of earlier) {
    const tries = await unit.attempts.tries(attempt.id)
    await unit.attempts.insert(copyOf(attempt, { own: { id: newId(), verificationId }, tries }))
  }
  const outcomes = earlier.flatMap(({ life }) => (life.state === 'committed' ? [life.outcome] : []))
  const event = { kind: 'reuse', outcomes } as const
  await applyEvent(unit, { verificationId, held: { ...held, prepared }, event, at, newId, reason: NONE })
  return { verification: verificationId, from }
}

/** Blobs that an attempt's report names and that are not forgotten at its end. */
function leftBy({ report }: StoredAttempt) {
  if (report === null) return []
  const named = [report.log, report.lock, ...report.artifacts.map(({ treeManifest }) => treeManifest)]
  return named.filter((sha256) => sha256 !== null)
}

/** No try of it was this verification's: its report tells of them. Its times are those of the build. */
function copyOf(
  attempt: StoredAttempt,
  { own, tries }: { own: Pick<StoredAttempt, 'id' | 'verificationId'>; tries: readonly StoredTry[] },
): StoredAttempt {
  const { life, report } = attempt
  if (life.state !== 'committed' || report === null) throw new TypeError('an attempt that is not over was to be taken over')
  const taken = { state: 'committed', tries: 0, outcome: life.outcome, lease: null, digest: null } as const
  return { ...attempt, ...own, life: taken, report: { ...report, retried: retriedOf(report, tries) } }
}
