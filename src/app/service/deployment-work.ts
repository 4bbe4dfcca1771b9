import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { oneChunk } from '../../../verifier/bytes/one-chunk.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import { type Advance, advanceDeployment, type DeployPorts } from '../deploy/advance-deployment.ts'
import type { Deployment, DeploymentEvent } from '../deploy/deployment.ts'
import { decidedApp, isOver, progressOf } from '../deploy/deployment-state.ts'
import { giveUpDeployment } from '../deploy/failed-deployment.ts'
import type { StoredDeployment } from '../store/deployment-ports.ts'
import type { Reads, TakenJob, Unit } from '../store/store-ports.ts'
import { wholeBlob } from '../whole-blob.ts'
import type { ServicePorts } from './accept-verification.ts'
import { answerGate, type GuestPorts } from './answer-guest.ts'
import { type DeployTargets, requirePolicyOf, targetOf } from './deploy-targets.ts'
import type { JobEnd, JobWork } from './job-runner.ts'
import { type Policies, policyUnknown } from './policies.ts'
import { deploymentDocument } from './read-deployments.ts'

export type DeploymentPorts = ServicePorts &
  Omit<GuestPorts, 'reads'> & {
    readonly reads: GuestPorts['reads'] & Pick<Reads, 'deployments'>
    readonly blobs: BlobStore
    readonly policies: Pick<Policies, 'find'>
    readonly targets: DeployTargets
    readonly live: DeployPorts['live']
  }

/**
 * Tries of one step that fail, one after another, before a deployment is given up: with the queue's growing delay, a day. What is being stopped
 * is never given up.
 */
export const MOST_TRIES = 100
/** A target whose guests change without end says nothing. */
const MOST_EVENTS = 500

/**
 * Takes one step of a deployment. What came of it is written in the transaction that ends the job, so that every step is there before the next
 * one is taken, and a step that was lost with its coordinator is taken again.
 */
export function deploymentWork(ports: DeploymentPorts): JobWork<'deployment'> {
  return async (job, signal) => {
    const stored = await ports.reads.deployments.read(job.data.deploymentId)
    const document = stored === undefined ? null : deploymentDocument(stored)
    if (stored === undefined || document === null || isOver(document.state)) return { end: 'done' }
    return ended(ports, { job, stored, document, advance: await advance(ports, { job, document, signal }) })
  }
}

async function advance(
  ports: DeploymentPorts,
  { job, document, signal }: { readonly job: TakenJob<'deployment'>; readonly document: Deployment; readonly signal: AbortSignal },
): Promise<Advance> {
  const givenUp = giveUpDeployment(document, ports.now().toISOString())
  if (givenUp !== null && document.events.length >= MOST_EVENTS) return { events: [givenUp], waitMs: 0 }
  try {
    return await advanceDeployment(portsOf(ports, document), document, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (givenUp === null || job.tries < MOST_TRIES) throw error
    return { events: [givenUp], waitMs: 0 }
  }
}

/** Of one deployment. It has no environment: what is secret is never here. */
function portsOf(ports: DeploymentPorts, { id: deploymentId, target, policy: name }: Deployment): DeployPorts {
  const { blobs, unitOfWork, now, live } = ports
  return {
    target: targetOf(ports.targets, target),
    decide: async ({ appId, appCompose, osImageHash, deviceId }, signal) => {
      requirePolicyOf(ports.targets, target, name)
      const policy = await ports.policies.find(name)
      if (policy === undefined) throw policyUnknown()
      const composeHash = digestOf(appCompose)
      const guest = { by: 'target', osImageHash, deviceId, tcb: null } as const
      return await answerGate(ports, policy, { app: { id: appId, composeHash }, guest }, signal)
    },
    keep: async (bytes) => {
      const { sha256, size } = await blobs.put(oneChunk(bytes))
      await unitOfWork.run(({ deployments }) => deployments.keepCompose({ deploymentId, sha256, size, at: now() }))
      return sha256
    },
    load: (sha256) => wholeBlob(blobs, sha256),
    environment: null,
    live,
    now,
  }
}

type Taken = {
  readonly job: TakenJob<'deployment'>
  readonly stored: StoredDeployment
  readonly document: Deployment
  readonly advance: Advance
}

async function ended(ports: DeploymentPorts, { job, stored, document, advance: { events, waitMs } }: Taken): Promise<JobEnd<'deployment'>> {
  const after = { ...document, events: [...document.events, ...events] }
  const { state } = progressOf(after)
  const admits = await admissionIn(ports, stored, events)
  const write = async (unit: Unit): Promise<void> => {
    if (events.length === 0) return
    await unit.deployments.save({ ...changed(stored, after), state, updatedAt: ports.now() })
    if (admits !== null) await unit.composes.admit(admits)
    if (state === 'running') await unit.jobs.enqueue('observation', job.data)
  }
  const told = (): void => {
    const end = events.at(-1)
    const code = end?.kind === 'ended' || end?.kind === 'stopping' ? end.why.code : null
    if (state !== document.state) ports.events?.deploymentAdvanced?.({ deployment: stored.id, target: document.target, state, code })
  }
  if (isOver(state)) return { end: 'done', write, told }
  return { end: 'again', write, told, next: { at: new Date(ports.now().getTime() + waitMs), data: job.data } }
}

/** What lists and pages show of it. */
function changed(stored: StoredDeployment, { order, events }: Deployment): StoredDeployment {
  const { offer } = progressOf({ events })
  const url = events.findLast((event) => event.kind === 'live')?.url ?? null
  return {
    ...stored,
    appId: offer === null ? order.appId : decidedApp(offer, order),
    composeHash: offer?.composeHash ?? order.appCompose,
    url,
    ordered: { order, admit: stored.ordered?.admit ?? false, events },
  }
}

/** The app-compose that its owner admits with the order, for the app that the target gives: the very bytes, and no others. */
async function admissionIn({ blobs, now }: DeploymentPorts, { ordered, ownerId }: StoredDeployment, events: readonly DeploymentEvent[]) {
  const offered = events.find((event) => event.kind === 'offered')
  if (offered === undefined || ordered === null || !ordered.admit || offered.offer.composeHash !== ordered.order.appCompose) return null
  const { composeHash } = offered.offer
  return {
    appId: decidedApp(offered.offer, ordered.order),
    composeHash,
    size: (await wholeBlob(blobs, composeHash)).length,
    ownerId,
    at: now(),
  }
}
