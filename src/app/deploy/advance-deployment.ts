import { isDeepStrictEqual } from 'node:util'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { MOST_BYTES } from '../compose/compose-document.ts'
import type { Decision } from '../gate/decision.ts'
import type { AppEnvironment, DeployTarget, Ordered } from './deploy-target.ts'
import type { Deployment, DeploymentEvent, GuestState, Offer } from './deployment.ts'
import { endingOf } from './deployment-ending.ts'
import { decidedApp, isOver, type Progress, progressOf } from './deployment-state.ts'
import { failed } from './failed-deployment.ts'

/** What the gate is asked before something is started, or after it was. */
export type DeployQuestion = {
  readonly appCompose: Uint8Array
  readonly appId: string
  readonly osImageHash: Sha256 | null
  readonly deviceId: string | null
}

export type DeployPorts = {
  readonly target: DeployTarget
  readonly decide: (question: DeployQuestion, signal: AbortSignal) => Promise<Decision>
  /** Keeps bytes by their sha256; again changes nothing. */
  readonly keep: (bytes: Uint8Array) => Promise<Sha256>
  readonly load: (sha256: Sha256) => Promise<Uint8Array>
  /** Never kept; null: none is wanted. */
  readonly environment: AppEnvironment | null
  /** Asks the app at its live URL, within bounds; whatever comes of it is a value. */
  readonly live: (order: Deployment['order'], guest: GuestState, signal: AbortSignal) => Promise<LiveAnswers>
  readonly now: () => Date
  /** So many events are of another process. What they decided is decided again before anything is started: where they are kept others might write. */
  readonly eventsBefore?: number
}
export type LiveAnswers = Pick<Extract<DeploymentEvent, { kind: 'live' }>, 'url' | 'answers'>

export type Advance = {
  /** What happened; to be kept before the next step is taken. */
  readonly events: readonly DeploymentEvent[]
  /** Milliseconds until the next step is worth it. */
  readonly waitMs: number
}

/** A decision is taken again where it is older than this when something is to be started. */
const DECISION_MS = 5 * 60_000
/** A guest pulls images and fetches keys before it runs. */
const BOOT_MS = 20 * 60_000
/** Of a guest that runs: so long it may take to show what. */
const ATTEST_MS = 2 * 60_000
/** So long it may take a target to show what it was told to start. */
const SHOW_MS = 60_000
const LOOK_AGAIN_MS = 3_000

/**
 * Takes one step of a deployment: offer, decision, start, follow, ask. Each step may be repeated after a crash in its midst, and leads to one and
 * the same end: what is about to be started is written down first, and looked for before it is started again. Nothing is started that the policy
 * denies. Where something passes (`retryable`), rejects with it, and nothing has happened; every other failure ends the deployment.
 */
export async function advanceDeployment(ports: DeployPorts, deployment: Deployment, signal: AbortSignal): Promise<Advance> {
  const progress = progressOf(deployment)
  if (isOver(progress.state)) return { events: [], waitMs: 0 }
  const at = ports.now().toISOString()
  try {
    return await step({ ports, deployment, progress, at, signal })
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof Failure) || error.retryable) throw error
    return next(failed(at, progress, { code: error.code, message: error.message, hint: error.hint }))
  }
}

type Step = {
  readonly ports: DeployPorts
  readonly deployment: Deployment
  readonly progress: Progress
  readonly at: string
  readonly signal: AbortSignal
}

async function step(o: Step): Promise<Advance> {
  const { offer, guest } = o.progress
  const { state } = o.progress
  if (offer === null) return await makeOffer(o)
  if (state === 'offered') return await decideBefore(o, offer)
  if (state === 'allowed') return next({ kind: 'committing', at: o.at })
  if (guest === null) return state === 'stopping' ? await stopStarted(o, offer) : await start(o, offer)
  if (state === 'stopping') return await stop(o, guest)
  return await follow(o, { offer, guest })
}

async function makeOffer({ ports, deployment, at, signal }: Step): Promise<Advance> {
  const ordered = await orderedOf(ports, deployment)
  const { offer, appCompose } = await ports.target.offer(ordered, signal)
  if (appCompose !== null && digestOf(appCompose) !== offer.composeHash) throw new Error('an offer has bytes of another hash')
  if (appCompose !== null) await ports.keep(appCompose)
  const { appId } = deployment.order
  if (appId !== null && offer.appId !== null && appId !== offer.appId) {
    await ports.target.withdraw({ ordered, offer }, signal)
    return next({ kind: 'offered', at, offer }, { kind: 'ended', at, state: 'failed', why: endingOf('deployment-app-differs') })
  }
  return next({ kind: 'offered', at, offer })
}

/** Of bytes that nobody has seen nothing is decided: what is offered is left, unless the order says otherwise. */
async function decideBefore(o: Step, offer: Offer): Promise<Advance> {
  const { ports, deployment, at, signal } = o
  if (offer.appCompose !== null) {
    const decided = await decidedNow(o, offer, offer.appCompose)
    return decided.decision.decision === 'allow' ? next(decided) : await leave(o, offer, decided)
  }
  if (deployment.order.unpredicted === 'start-without-secrets') return next({ kind: 'unpredicted', at })
  await ports.target.withdraw({ ordered: await orderedOf(ports, deployment), offer }, signal)
  return next({ kind: 'ended', at, state: 'denied', why: endingOf('deployment-unpredicted') })
}

async function leave({ ports, deployment, at, signal }: Step, offer: Offer, decided: Decided): Promise<Advance> {
  await ports.target.withdraw({ ordered: await orderedOf(ports, deployment), offer }, signal)
  return next(decided, { kind: 'ended', at, state: 'denied', why: endingOf('deployment-denied') })
}

async function start(o: Step, offer: Offer): Promise<Advance> {
  const { ports, deployment, progress, at, signal } = o
  const ordered = await orderedOf(ports, deployment)
  const found = await ports.target.find({ ordered, offer }, signal)
  if (found !== undefined) return next({ kind: 'committed', at, guest: found })
  // Whatever is written down: what nobody has seen is started by the order's own word, and by no other.
  if (offer.appCompose === null && deployment.order.unpredicted === 'deny') throw new Error('nobody decided about what is to be started')
  const again = isOld(o) && offer.appCompose !== null ? await decidedNow(o, offer, offer.appCompose) : null
  if (again?.decision.decision === 'deny') return await leave(o, offer, again)
  const environment = progress.unpredicted ? null : ports.environment
  return next(...(again === null ? [] : [again]), {
    kind: 'committed',
    at,
    guest: await ports.target.commit({ ordered, offer, environment }, signal),
  })
}

function isOld({ ports, deployment, progress: { decidedAt } }: Step): boolean {
  const decided = deployment.events.findLastIndex(({ kind }) => kind === 'decided')
  if (decidedAt === null || decided < (ports.eventsBefore ?? 0)) return true
  const age = ports.now().getTime() - decidedAt.getTime()
  return !(age >= 0 && age < DECISION_MS)
}

type Decided = Extract<DeploymentEvent, { kind: 'decided' }>

async function decidedNow(o: Step, offer: Offer, appCompose: Sha256): Promise<Decided> {
  return { kind: 'decided', at: o.at, basis: 'predicted', decision: await decide(o, offer, appCompose) }
}

async function follow(o: Step, { offer, guest }: { readonly offer: Offer; readonly guest: string }): Promise<Advance> {
  const { ports, deployment, progress, at, signal } = o
  if (progress.unpredicted) {
    const attested = await judgeAttested(o, { offer, guest })
    if (attested !== undefined) return attested
  }
  const state = await ports.target.state(guest, signal)
  const seen: readonly DeploymentEvent[] = sameState(progress.seen, state) ? [] : [{ kind: 'state', at, state }]
  if (state.status === 'failed' || state.status === 'stopped')
    return next(...seen, failed(at, progress, endingOf(state.status === 'failed' ? 'deployment-boot-failed' : 'deployment-stopped')))
  if (state.status === 'running' && !progress.unpredicted) {
    const confirmed = await confirmAttested(o, { offer, guest })
    if (confirmed !== undefined) return { ...confirmed, events: [...seen, ...confirmed.events] }
    return next(...seen, { kind: 'live', at, ...(await ports.live(deployment.order, state, signal)) })
  }
  const since = ports.now().getTime() - (progress.committedAt?.getTime() ?? 0)
  if (since > BOOT_MS) return next(...seen, failed(at, progress, endingOf('deployment-boot-time-limit')))
  return { events: seen, waitMs: LOOK_AGAIN_MS }
}

/** Undefined: the guest has not said yet what it runs. */
async function judgeAttested(o: Step, { offer, guest }: { readonly offer: Offer; readonly guest: string }): Promise<Advance | undefined> {
  const shown = await keepAttested(o, { offer, guest })
  if (shown === undefined) return undefined
  const { attested } = shown
  if (!shown.asOffered) return stopDiffering(attested)
  const decision = await decide(o, offer, attested.appCompose)
  const decided: DeploymentEvent = { kind: 'decided', at: o.at, basis: 'attested', decision }
  return decision.decision === 'allow'
    ? next(attested, decided)
    : next(attested, decided, { kind: 'stopping', at: o.at, why: endingOf('deployment-denied') })
}

/** What was decided beforehand has to be what runs; a guest that does not say so in time is asked about at its live URL all the same. */
async function confirmAttested(o: Step, { offer, guest }: { readonly offer: Offer; readonly guest: string }): Promise<Advance | undefined> {
  const { events } = o.deployment
  if (events.some(({ kind }) => kind === 'attested')) return undefined
  const shown = await keepAttested(o, { offer, guest })
  if (shown !== undefined) return shown.asOffered ? next(shown.attested) : stopDiffering(shown.attested)
  const since = events.find((event) => event.kind === 'state' && event.state.status === 'running')?.at ?? o.at
  return o.ports.now().getTime() - Date.parse(since) > ATTEST_MS ? undefined : { events: [], waitMs: LOOK_AGAIN_MS }
}

type Attested = Extract<DeploymentEvent, { kind: 'attested' }>

/** What is longer than any app-compose is none, and not kept: that it cannot be must not keep it from being stopped. */
async function keepAttested(
  { ports, at, signal }: Step,
  { offer, guest }: { readonly offer: Offer; readonly guest: string },
): Promise<{ readonly attested: Attested; readonly asOffered: boolean } | undefined> {
  const bytes = await ports.target.attested(guest, signal)
  if (bytes === undefined) return undefined
  const fits = bytes.length <= MOST_BYTES.dstack
  const attested: Attested = { kind: 'attested', at, appCompose: fits ? await ports.keep(bytes) : digestOf(bytes) }
  return { attested, asOffered: fits && attested.appCompose === offer.composeHash }
}

function stopDiffering(attested: Attested): Advance {
  return next(attested, { kind: 'stopping', at: attested.at, why: endingOf('deployment-compose-differs') })
}

async function decide({ ports, deployment, signal }: Step, offer: Offer, appCompose: Sha256): Promise<Decision> {
  const appId = decidedApp(offer, deployment.order)
  const { osImageHash, deviceId } = offer
  return await ports.decide({ appCompose: await ports.load(appCompose), appId, osImageHash, deviceId }, signal)
}

/** Whether something was started is not known yet: an answer may have been lost, and a target that was told to may show it only later. */
async function stopStarted(o: Step, offer: Offer): Promise<Advance> {
  const { ports, deployment, signal } = o
  const ordered = await orderedOf(ports, deployment)
  const guest = await ports.target.find({ ordered, offer }, signal)
  if (guest !== undefined) return await stop(o, guest)
  const stopping = deployment.events.findLast(({ kind }) => kind === 'stopping')?.at ?? o.at
  if (ports.now().getTime() - Date.parse(stopping) < SHOW_MS) return { events: [], waitMs: LOOK_AGAIN_MS }
  await ports.target.withdraw({ ordered, offer }, signal)
  return next(endedBy(o))
}

async function stop(o: Step, guest: string): Promise<Advance> {
  await o.ports.target.stop(guest, o.signal)
  return next(endedBy(o))
}

function endedBy({ deployment, at }: Step): DeploymentEvent {
  const stopping = deployment.events.findLast(({ kind }) => kind === 'stopping')
  const why = stopping?.kind === 'stopping' ? stopping.why : endingOf('deployment-stopped')
  const denied = why.code === 'deployment-denied' || why.code === 'deployment-compose-differs'
  return { kind: 'ended', at, state: denied ? 'denied' : 'failed', why }
}

async function orderedOf(ports: DeployPorts, { order }: Deployment): Promise<Ordered> {
  return { order, appCompose: await ports.load(order.appCompose), envNames: (ports.environment ?? []).map(({ name }) => name) }
}

function sameState(was: GuestState | null, now: GuestState): boolean {
  // Whoever kept it may have put its keys into another order.
  return isDeepStrictEqual(was, now)
}

function next(...events: readonly DeploymentEvent[]): Advance {
  return { events, waitMs: 0 }
}
