import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { Deployed } from '../inspect/app-lines.ts'
import type { Inspection } from '../inspect/inspection.ts'
import type { StoredDeployment } from '../store/deployment-ports.ts'
import type { Reads, TakenJob } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import type { JobEnd, JobWork } from './job-runner.ts'

export type ObservationWorkPorts = ServicePorts & {
  readonly reads: Pick<Reads, 'deployments'>
  /**
   * Looks at what runs there, and whether it is what was deployed. `policy`: the one that it was deployed by; null: none. Rejects where nobody could
   * look.
   */
  readonly inspect: (
    o: { readonly url: string; readonly healthPath: string | null; readonly policy: string | null; readonly deployed: Deployed },
    signal: AbortSignal,
  ) => Promise<Inspection>
  readonly everyMs: number
}

/** Tries of one observation; what could not be looked at by then is noted as that. */
export const OBSERVATION_TRIES = 3
/** A tenth sooner or later: what was deployed together is not looked at together for ever. */
const SPREAD = 0.1

/** Looks at what was deployed, again and again, until its owner withdraws it. What is as it was adds to a count, and to nothing else. */
export function observationWork(ports: ObservationWorkPorts): JobWork<'observation'> {
  return async (job, signal) => {
    const deployment = await ports.reads.deployments.read(job.data.deploymentId)
    if (deployment === undefined || !isObserved(deployment)) return { end: 'done' }
    const { url, appId, composeHash, ordered, policy } = deployment
    if (url === null || appId === null) return { end: 'done' }
    const healthPath = ordered?.order.live?.healthPath ?? null
    const seen = await look(ports, job, { url, healthPath, policy, deployed: { appId, composeHash } }, signal)
    return noted(ports, job, { deploymentId: deployment.id, appId, url, ...seen })
  }
}

/** What runs by our knowledge, or by its owner's word. */
function isObserved({ state, withdrawnAt }: StoredDeployment): boolean {
  return withdrawnAt === null && (state === 'running' || state === 'announced')
}

type Seen = { readonly inspection: Inspection; readonly code: null } | { readonly inspection: null; readonly code: string }

async function look(
  { inspect }: ObservationWorkPorts,
  { tries }: TakenJob<'observation'>,
  what: Parameters<ObservationWorkPorts['inspect']>[0],
  signal: AbortSignal,
): Promise<Seen> {
  try {
    return { inspection: await inspect(what, signal), code: null }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof Failure) || (error.retryable && tries < OBSERVATION_TRIES)) throw error
    return { inspection: null, code: error.code }
  }
}

function noted(
  ports: ObservationWorkPorts,
  { data }: TakenJob<'observation'>,
  seen: Seen & { readonly deploymentId: string; readonly appId: string; readonly url: string },
): JobEnd<'observation'> {
  const at = ports.now()
  const id = ports.newId()
  const { deploymentId: deployment, code } = seen
  const verdict = seen.inspection?.verdict ?? null
  let isNew = false
  return {
    end: 'again',
    next: { at: nextAt(at, ports.everyMs, id), data },
    write: async ({ observations }) => {
      isNew = await observations.note({ id, ...seen, outcome: outcomeOf(seen), firstAt: at })
    },
    told: () => ports.events?.observed?.({ deployment, verdict, code, isNew }),
  }
}

function nextAt(at: Date, everyMs: number, id: string): Date {
  const chance = Number.parseInt(digestOf(id).slice(0, 8), 16) / 0xffff_ffff
  return new Date(at.getTime() + everyMs * (1 - SPREAD + 2 * SPREAD * chance))
}

/** Each time another quote is given, at another time, and details count what passes: none of them makes it another outcome. */
export function outcomeOf({ inspection, code }: Seen): Sha256 {
  if (inspection === null) return digestOf(`code ${code}`)
  const { verdict, app, tcb, images, appCompose, policy } = inspection
  const lines = inspection.lines.map(({ id, status }) => [id, status])
  return digestOf(
    JSON.stringify([
      verdict,
      [app.id, app.instanceId, app.composeHash, app.osImageHash],
      tcb === null ? null : [tcb.status, tcb.advisories],
      images.map(({ service, name, digest }) => [service, name, digest]),
      appCompose,
      policy === null ? null : [policy.name, policy.sha256],
      lines,
    ]),
  )
}
