import { setTimeout as delay } from 'node:timers/promises'
import type { VerificationAnswer } from '../../src/client/answers.ts'
import { ApiClient } from '../../src/client/api-client.ts'
import { followEvents } from '../../src/client/follow-events.ts'
import { Failure, firstFailure } from '../../verifier/model/failure.ts'
import type { Secret } from '../../verifier/model/secret.ts'
import type { EventCount } from './event-count.ts'
import type { Published } from './published.ts'
import type { PlannedSubmission } from './submission-plan.ts'

/** What a client knows of its submission. */
export type Submitted = {
  readonly planned: PlannedSubmission
  /** By each answer: a second one has to be the same. */
  readonly ids: readonly string[]
  /** What came of asking for its end; null: nobody asked. */
  readonly cancel: 'taken' | 'over' | null
  /** Null where it was not over in time. */
  readonly end: VerificationAnswer | null
  /** Numbers of the events in the order in which they were heard; null where nobody followed. */
  readonly heard: readonly number[] | null
  /** From the first request to the end, ms. */
  readonly ms: number
}

export type ClientOptions = {
  readonly urls: readonly URL[]
  readonly tokens: readonly Secret[]
  readonly events: EventCount
  /** Fires when nothing is waited for any more. */
  readonly signal: AbortSignal
}

const PATIENCE = { timeout: 15_000, retries: 1, retryDelay: 200 }
const FOLLOW = { silence: 30_000, retryDelay: 200, retryDelayMax: 1000, giveUp: 3_600_000 }
const POLL_MS = 500
const AGAIN_MS = 300

/** Submits one thing and waits for its end, through outages of any length, at whichever coordinator answers. */
export async function submitPlanned(o: ClientOptions, planned: PlannedSubmission, { uploads, request }: Published): Promise<Submitted> {
  const began = performance.now()
  const token = o.tokens[planned.owner]
  if (token === undefined) throw new Error('no such owner')
  const clients = o.urls.map((server) => new ApiClient({ server, token: async () => token, patience: PATIENCE }))
  let turn = planned.number
  const ask = <T>(work: (client: ApiClient) => Promise<T>): Promise<T> =>
    persevere(o.signal, async () => {
      turn += 1
      const client = clients[turn % clients.length]
      if (client === undefined) throw new Error('no coordinator')
      return await work(client)
    })
  for (const { sha256, bytes } of uploads) await ask((client) => client.upload(new Blob([Buffer.from(bytes)]), sha256, o.signal))
  const key = `torture-${planned.number}`
  const submit = async (): Promise<string> => (await ask((client) => client.submit(request, key, o.signal))).verification.id
  const ids = [await submit()]
  const [id = ''] = ids
  if (planned.asksTwice) ids.push(await submit())
  const following = planned.followed ? follow(o, id) : Promise.resolve(null)
  // What is shown only at its end is waited for at the same time.
  following.catch(() => {})
  try {
    const cancel =
      planned.cancelAfterEvents === null ? null : await cancelled(o, planned.cancelAfterEvents, () => ask((c) => c.cancel(id, o.signal)))
    const end = await ended(o, () => ask((client) => client.verification(id, o.signal)))
    return { planned, ids, cancel, end, heard: await following, ms: performance.now() - began }
  } catch (error) {
    if (!o.signal.aborted) throw error
    return { planned, ids, cancel: null, end: null, heard: null, ms: performance.now() - began }
  }
}

async function cancelled(o: ClientOptions, events: number, cancel: () => Promise<void>): Promise<'taken' | 'over'> {
  await o.events.reach(o.events.count + events, 2000)
  try {
    await cancel()
    return 'taken'
  } catch (error) {
    if (error instanceof Failure && error.code === 'verification-over') return 'over'
    throw error
  }
}

/** Over, and all that is to be signed about it signed. */
async function ended(o: ClientOptions, read: () => Promise<VerificationAnswer>): Promise<VerificationAnswer> {
  for (;;) {
    const now = await read()
    if ((now.state === 'finished' || now.state === 'cancelled') && now.unsigned.length === 0) return now
    await delay(POLL_MS, undefined, { signal: o.signal })
  }
}

async function follow({ urls, signal }: ClientOptions, id: string): Promise<readonly number[]> {
  const heard: number[] = []
  const [server] = urls
  if (server === undefined) return heard
  await persevere(signal, () =>
    followEvents({
      url: new URL(`v1/verifications/${id}/events`, server),
      onEvent: ({ seq }) => heard.push(seq),
      signal,
      patience: FOLLOW,
    }),
  )
  return heard
}

/** Fails with what no outage explains. */
async function persevere<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      const failure = firstFailure(error)
      if (!(failure instanceof Failure && failure.retryable)) throw error
      await delay(AGAIN_MS, undefined, { signal })
    }
  }
}
