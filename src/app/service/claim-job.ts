import { isDeepStrictEqual } from 'node:util'
import { ARCHITECTURES, type AttemptRoute, type WorkerCapabilities } from '../store/records.ts'
import { builderOfJob, firstAllowed, lockOfJob } from './job-terms.ts'
import { LEASE_MS, type LeasedAttempt } from './lease-attempt.ts'
import { workerFailure } from './worker-failures.ts'
import type { SpeakingWorker, WorkerPorts } from './worker-ports.ts'
import { BEATS_PER_LEASE, type WorkerClaim, type WorkerJob } from './worker-protocol.ts'

/**
 * The next attempt for a worker; undefined where there was none for as long as it waits, or it went away meanwhile. Fails with
 * `worker-unknown` and `worker-architecture-unknown`.
 */
export async function claimJob(
  ports: WorkerPorts,
  worker: SpeakingWorker,
  { claim, signal }: { readonly claim: WorkerClaim; readonly signal: AbortSignal },
): Promise<WorkerJob | undefined> {
  const { capabilities, waitSeconds } = claim
  const routes = routesOf(worker, capabilities.architecture)
  await noteSeen(ports, worker, capabilities)
  ports.events?.workerSeen?.({ worker: worker.id, place: worker.place, architecture: capabilities.architecture })
  const leased = await ports.desk.wait({ workerId: worker.id, routes, waitMs: waitSeconds * 1000, signal })
  return leased === undefined ? undefined : await jobOf(leased, ports, capabilities)
}

/** How old what is noted of a worker may be before it is written again, ms: who asks for work all the time writes no more often. */
const SEEN_NOTED_MS = 10_000

async function noteSeen({ unitOfWork, now }: WorkerPorts, worker: SpeakingWorker, capabilities: WorkerCapabilities): Promise<void> {
  const at = now()
  const noted = worker.lastSeenAt?.getTime() ?? Number.NEGATIVE_INFINITY
  if (at.getTime() - noted < SEEN_NOTED_MS && isDeepStrictEqual(worker.capabilities, capabilities)) return
  await unitOfWork.run(({ workers }) => workers.seen(worker.id, { capabilities, now: at }))
}

/** Whoever shares a machine with the coordinator builds for nobody whom the operator does not vouch for. */
function routesOf({ place }: SpeakingWorker, said: string): readonly AttemptRoute[] {
  const architecture = ARCHITECTURES.find((one) => one === said)
  if (architecture === undefined) throw workerFailure('worker-architecture-unknown')
  const trusted = `${architecture}-trusted` as const
  return place === 'in-process' ? [trusted] : [trusted, `${architecture}-stranger`]
}

async function jobOf(
  leased: LeasedAttempt,
  { reads, leaseMs = LEASE_MS, allowedBuilders = [] }: Pick<WorkerPorts, 'reads' | 'leaseMs' | 'allowedBuilders'>,
  { builders: has }: WorkerCapabilities,
): Promise<WorkerJob> {
  const { attempt, prepared } = leased
  if (prepared === null) throw new TypeError('an attempt of what is not prepared')
  const { architecture } = prepared
  const known = reads.builders.find
  const builder = builderOfJob(leased) ?? (await firstAllowed(allowedBuilders, { architecture, has, known }))
  const description = builder === null ? null : ((await reads.builders.find(builder))?.description ?? null)
  // What is tried for the first time has no try that ended.
  const tries = attempt.life.tries > 1 ? await reads.attempts.tries(attempt.id) : []
  const { id, verificationId, number, mode } = attempt
  return {
    schema: 'bitwitness/worker-job/v1',
    attempt: { id, verificationId, number, mode },
    lease: leased.lease,
    expiresAt: leased.expiresAt.toISOString(),
    heartbeatSeconds: Math.max(1, Math.floor(leaseMs / 1000 / BEATS_PER_LEASE)),
    source: { pinned: prepared.pinned, tar: prepared.sourceTar },
    lock: lockOfJob(leased, attempt),
    builder: builder === null ? null : { digest: builder, description },
    retried: tries.flatMap(({ reason }) => (reason === null ? [] : [reason])),
  }
}
