import path from 'node:path'
import { certificateOf, receive } from '../../src/notify/testing/webhook-receiver.ts'
import { StoreRoom } from '../../src/store-room.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { Secret } from '../../verifier/model/secret.ts'
import { halfStates } from '../half-states.ts'
import { aftermath } from './aftermath.ts'
import type { Submitted } from './client.ts'
import { EventCount } from './event-count.ts'
import { processesNaming, wrongFiles } from './files-left.ts'
import { Fleet } from './fleet.ts'
import { killAll, type Struck } from './kill-all.ts'
import { type KillPlanOptions, killPlan } from './kill-plan.ts'
import { Overheard } from './overheard.ts'
import { type SubmissionPlanOptions, submissionPlan } from './submission-plan.ts'
import { submitAll } from './submit-all.ts'
import type { Workshop } from './workshop.ts'

export type TortureOptions = {
  /** Empty, of its own, with a short name. */
  readonly folder: string
  readonly seed: number
  readonly coordinators: number
  /** None: the coordinator builds, and has the database in its home. */
  readonly workers: number
  readonly kills: Omit<KillPlanOptions, 'seed'>
  readonly submissions: Omit<SubmissionPlanOptions, 'seed' | 'owners'>
  /** Submissions that are under way at once. */
  readonly atOnce: number
  /** How long nothing may happen after the last kill before what has not come to its end counts as lost, s. A slow machine is none. */
  readonly patienceSeconds: number
  readonly workshop: Workshop
  readonly say: (line: string) => void
}

export type TortureResult = {
  readonly submitted: readonly Submitted[]
  readonly kills: readonly Struck[]
  readonly troubles: ReadonlyMap<string, number>
  /** All that is not as it should be. */
  readonly wrong: readonly string[]
  readonly seconds: number
}

const OWNERS = 4
/** How often what is true at any moment is looked at, in kills. */
const LOOK_EVERY = 5

/** Runs a service, submits to it and kills it by a plan; then looks whether all is as it has to be. */
export async function torture(o: TortureOptions): Promise<TortureResult> {
  const began = performance.now()
  const since = (): number => Math.round((performance.now() - began) / 100) / 10
  const events = new EventCount()
  const overheard = new Overheard(events)
  const certificate = await certificateOf()
  const wrong: string[] = []
  let struck = 0
  let submitted: readonly Submitted[]
  let kills: readonly Struck[]
  await using receiver = await receive(certificate)
  {
    await using fleet = await Fleet.start({ ...o, owners: OWNERS, events, overheard, authority: certificate.cert })
    o.say(`up after ${since()} s`)
    const { postgres, urls, tokens, home, workerHomes } = fleet.parts
    const url = postgres === null ? null : new Secret(postgres.url)
    const late = new AbortController()
    const submitting = submitAll({
      plan: submissionPlan({ ...o.submissions, seed: o.seed, owners: OWNERS }),
      workshop: o.workshop,
      receiver,
      urls,
      tokens,
      events,
      atOnce: o.atOnce,
      progress: () => struck / o.kills.kills,
      signal: late.signal,
    })
    submitting.catch(() => {})
    kills = await killAll({
      plan: killPlan({ ...o.kills, seed: o.seed }),
      events,
      strike: (kill) => fleet.strike(kill),
      nameOf: (kill) => fleet.nameOf(kill),
      onKill: async (kill) => {
        struck += 1
        o.say(`${since()} s: kill ${kill.number}, ${fleet.nameOf(kill)}, ${kill.how}`)
        if (struck % LOOK_EVERY === 0) wrong.push(...(await brokenNow(url, home)))
      },
    })
    submitted = await endedOrQuiet(submitting, { events, late, quietMs: o.patienceSeconds * 1000 })
    o.say(`${since()} s: all is over`)
    wrong.push(...(await fleet.settle()))
    wrong.push(...(await aftermath({ url, home, submitted, receiver })))
    wrong.push(...(await wrongFiles([home, ...workerHomes])), ...(await o.workshop.left(workerHomes)))
  }
  wrong.push(...overheard.wrong, ...(await processesNaming(o.folder)))
  return { submitted, kills, troubles: overheard.troubles, wrong, seconds: since() }
}

/** Fires `late` once nothing happens any more: what still waits then waits for ever. */
async function endedOrQuiet<T>(
  submitting: Promise<T>,
  { events, late, quietMs }: { readonly events: EventCount; readonly late: AbortController; readonly quietMs: number },
): Promise<T> {
  const over = new AbortController()
  const watching = events.reach(Number.POSITIVE_INFINITY, quietMs, over.signal).then((how) => {
    if (how === 'quiet') late.abort()
  })
  try {
    return await submitting
  } finally {
    over.abort()
    await watching
  }
}

/** What is half done while everything runs. A database that is away, or another's alone, says nothing. */
async function brokenNow(url: Secret | null, home: string): Promise<readonly string[]> {
  if (url === null) return []
  try {
    await using store = await StoreRoom.open({ url, folder: path.join(home, 'db'), superviseSeconds: null, onTrouble: () => {} })
    return (await halfStates(store)).map((one) => `while it ran: ${one}`)
  } catch (error) {
    if (error instanceof Failure && error.code === 'database-unreachable') return []
    throw error
  }
}
