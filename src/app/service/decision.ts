import { Failure, firstFailure } from '../../../verifier/model/failure.ts'
import type { VerificationReport } from '../../../verifier/model/report.ts'
import type { Verdict } from '../../../verifier/model/verdict.ts'
import { attemptsCommitted } from '../lifecycle/verification-state.ts'
import type { Ports } from '../ports.ts'
import { retriedBy } from '../store/retry-delay.ts'
import type { Reads, TakenJob } from '../store/store-ports.ts'
import { holdAgainst } from '../verify.ts'
import type { ServicePorts } from './accept-verification.ts'
import { giveVerdict } from './end-verification.ts'
import { holdVerification } from './hold-verification.ts'
import type { JobEnd, JobWork } from './job-runner.ts'
import { NotedBlobs } from './noted-blobs.ts'
import type { ServiceFacts } from './service-events.ts'
import { type FindFile, storedAttempts, type WitnessedAttempts } from './stored-attempts.ts'
import { storedDecision } from './stored-decision.ts'

export type DecisionPorts = ServicePorts &
  Pick<Ports, 'blobs' | 'fetchClaimed' | 'outputBytes' | 'scratch' | 'version'> & {
    readonly reads: Pick<Reads, 'attempts' | 'builders' | 'verifications'>
    /** The file of a blob, as it should be, on this machine. */
    readonly fileOf: FindFile
    /** How long may be spent on why bits differ, ms. */
    readonly lookMs?: number
  }

/** How often it is tried to say why bits differ; then the verdict is given without. */
export const LOOK_TRIES = 3
const LOOK_MS = 20 * 60_000

/**
 * Gives a verification whose attempts are all committed its verdict. The verdict rests on digests; why bits differ is looked into as far as
 * that goes, and whatever goes wrong there leaves it unexplained. Claimed bytes are fetched here and never before.
 */
export function decisionWork(ports: DecisionPorts): JobWork<'decision'> {
  return async (job, signal) => {
    const { verificationId } = job.data
    const held = await ports.unitOfWork.run(({ verifications }) => verifications.hold(verificationId))
    if (held?.life.state !== 'running') return { end: 'done' }
    if (!attemptsCommitted(held.life)) return { end: 'again' }
    const seen = await storedAttempts(ports, { verificationId, held, signal })
    await using blobs = new NotedBlobs(ports.blobs, ports)
    const report = await reportOn({ ...ports, blobs }, { job, seen, signal })
    const decision = await storedDecision(blobs, report, (error) => ports.events?.trouble?.({ where: 'decision', error }))
    let given: ServiceFacts['verdictGiven'] | null = null
    return {
      end: 'done',
      write: async (unit) => {
        given = null
        // It may have been cancelled meanwhile.
        if ((await holdVerification(unit, verificationId)).life.state !== 'running') return
        given = await giveVerdict(unit, ports, { verificationId, decision })
        if (!LOOKED_AT_LATER.includes(decision.verdict)) await unit.blobs.release({ verificationId, role: 'artifact' })
      },
      told: () => {
        if (given !== null) ports.events?.verdictGiven?.(given)
      },
    } satisfies JobEnd<'decision'>
  }
}

/** Whoever asks why wants the bytes. */
const LOOKED_AT_LATER: readonly Verdict[] = ['mismatch', 'nondeterministic']

type Decided = { readonly job: TakenJob<'decision'>; readonly seen: WitnessedAttempts; readonly signal: AbortSignal }

async function reportOn(ports: DecisionPorts, { job, seen, signal }: Decided): Promise<VerificationReport> {
  const { claims, ...witnessed } = seen
  const now = (): string => ports.now().toISOString()
  const hold = async (o: { scratch: string; unexplained: string | null; stop: AbortSignal }): Promise<VerificationReport> =>
    await holdAgainst({ ...ports, now }, witnessed, { ...o, claims, claimed: null, signal: o.stop })
  const unexplained = async (reason: string): Promise<VerificationReport> => await hold({ scratch: '', unexplained: reason, stop: signal })
  // A look that ends the process each time must not do so for ever.
  if (job.tries > LOOK_TRIES) return await unexplained('it was tried several times, and did not end')
  const late = AbortSignal.timeout(ports.lookMs ?? LOOK_MS)
  try {
    await using scratch = await ports.scratch()
    return await hold({ scratch: scratch.path, unexplained: null, stop: AbortSignal.any([signal, late]) })
  } catch (error) {
    signal.throwIfAborted()
    if (late.aborted) return await unexplained('it took longer than is spent on it')
    const failure = firstFailure(error)
    if (job.tries < LOOK_TRIES) throw failure
    ports.events?.jobFailed?.({
      kind: 'decision',
      job: job.id,
      tries: job.tries,
      nextAt: retriedBy(ports.now(), job.tries),
      error: failure,
    })
    return await unexplained(failure instanceof Failure ? `the service itself failed (${failure.code})` : 'the service itself failed')
  }
}
