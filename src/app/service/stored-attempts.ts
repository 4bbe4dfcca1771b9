import type { Witnessed } from '../../../verifier/attempt/report.ts'
import type { Attempt } from '../../../verifier/model/attempt.ts'
import type { Claim } from '../../../verifier/model/claim.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { Judgeable } from '../judge.ts'
import type { StoredAttempt, StoredTry } from '../store/records.ts'
import type { HeldVerification, Reads } from '../store/store-ports.ts'

export type FindFile = (sha256: Sha256, signal: AbortSignal) => Promise<string | undefined>

/** What a verdict is made from, as workers reported it. */
export type WitnessedAttempts = Judgeable &
  Pick<Witnessed, 'source' | 'reading' | 'architecture' | 'builder' | 'attempts' | 'startedAt'> & { readonly claims: readonly Claim[] }

/** Reads all that a verdict is made from. Fails with `claims-hidden` while an attempt is open. */
export async function storedAttempts(
  ports: { readonly reads: Pick<Reads, 'attempts' | 'builders' | 'verifications'>; readonly fileOf: FindFile },
  o: { readonly verificationId: string; readonly held: HeldVerification; readonly signal: AbortSignal },
): Promise<WitnessedAttempts> {
  const { prepared, createdAt, attempts } = o.held
  if (prepared === null) throw new TypeError('attempts of what was never prepared')
  const results = await Promise.all(attempts.map((attempt) => resultOf(attempt, ports, o.signal)))
  const own = await ports.reads.verifications.read(o.verificationId)
  const earlier = own?.reusedFrom == null ? undefined : await ports.reads.verifications.read(own.reusedFrom)
  return {
    claims: await ports.reads.verifications.claims(o.verificationId),
    source: prepared.pinned,
    reading: prepared.reading,
    architecture: prepared.architecture,
    builder: await builderOf(
      results.map(({ attempt }) => attempt),
      ports.reads,
    ),
    attempts: { results },
    // Attempts of an earlier verification began before this one did.
    startedAt: (earlier?.createdAt ?? createdAt).toISOString(),
  }
}

async function resultOf(
  { id, report, indexes }: StoredAttempt,
  { reads, fileOf }: { readonly reads: Pick<Reads, 'attempts'>; readonly fileOf: FindFile },
  signal: AbortSignal,
): Promise<WitnessedAttempts['attempts']['results'][number]> {
  if (report === null) throw new TypeError('an attempt that is committed without a report')
  const attempt = { ...report, retried: retriedOf(report, await reads.attempts.tries(id)) }
  const files = {
    get: async (name: string): Promise<string | undefined> => {
      const artifact = attempt.artifacts.find((one) => one.name === name)
      return artifact === undefined ? undefined : await fileOf(artifact.sha256, signal)
    },
  }
  return { attempt, indexes, files }
}

/** The tries that ended before the one that counts, as the store has them: no worker has a say in that. */
export function retriedOf(report: Attempt, tries: readonly StoredTry[]): Attempt['retried'] {
  const before = tries.filter(({ ending }) => ending === 'infrastructure' || ending === 'lease-lost')
  // One that was given up ended by its last try.
  const own = report.outcome === 'infrastructure' ? before.slice(0, -1) : before
  // Those of an attempt that was taken over were written into its report.
  return tries.length === 0 ? report.retried : own.flatMap(({ reason }) => (reason === null ? [] : [reason]))
}

/** All attempts are made in one builder. */
async function builderOf(attempts: readonly Attempt[], { builders }: Pick<Reads, 'builders'>): Promise<Witnessed['builder']> {
  const digest = attempts.find(({ builder }) => builder !== null)?.builder ?? null
  const known = digest === null ? undefined : await builders.find(digest)
  return digest === null ? null : { digest, mkosi: known?.mkosi ?? 'unknown' }
}
