import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AttemptEvent } from '../../verifier/model/event.ts'
import { type FollowOptions, type FollowPatience, followEvents } from './follow-events.ts'
import { type FakeService, ID, problemDocument, startFakeService, verificationOf } from './testing/fake-service.ts'

const PATIENCE: FollowPatience = { silence: 60_000, retryDelay: 1, retryDelayMax: 2, giveUp: 60_000 }
const EVENTS = Array.from(
  { length: 6 },
  (_, index): AttemptEvent => ({ seq: index + 1, attempt: 1, at: '2026-01-01T00:00:00Z', kind: 'log', line: `line ${index + 1}` }),
)

let service: FakeService
beforeEach(async () => {
  service = await startFakeService()
  service.events = EVENTS
  service.verification = verificationOf({ state: 'finished', verdict: 'mismatch' })
})
afterEach(() => service[Symbol.asyncDispose]())

async function follow(change: Partial<FollowOptions> = {}) {
  const heard: number[] = []
  let lost = 0
  const end = await followEvents({
    url: new URL(`v1/verifications/${ID}/events`, service.url),
    onEvent: ({ seq }) => heard.push(seq),
    onLost: () => {
      lost += 1
    },
    signal: new AbortController().signal,
    patience: PATIENCE,
    ...change,
  })
  return { end, heard, lost }
}

describe('following', () => {
  it('hears each event once, in order, and how it ended', async () => {
    expect(await follow()).toEqual({
      end: { verification: ID, state: 'finished', verdict: 'mismatch', tier: null },
      heard: [1, 2, 3, 4, 5, 6],
      lost: 0,
    })
  })

  it('goes on where it was when the connection breaks, at whatever place', async () => {
    service.breaks = [0, 2, 0, 0, 4]
    const { heard } = await follow()
    expect(heard).toEqual([1, 2, 3, 4, 5, 6])
    expect(service.resumed).toEqual(['', '', '2', '2', '2', '6'])
  })

  it('goes on where a service was away and said so', async () => {
    service.problems = [{ status: 503, body: JSON.stringify(problemDocument('unavailable', 'away', 'wait')) }]
    expect(await follow()).toMatchObject({ heard: [1, 2, 3, 4, 5, 6], lost: 1 })
  })

  it('takes a connection on which nothing is heard for a broken one', async () => {
    service.open = true
    const ended = follow({ patience: { ...PATIENCE, silence: 50 }, onLost: () => (service.open = false) })
    expect((await ended).heard).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('gives up where nobody is there for too long', async () => {
    const { url } = service
    await service[Symbol.asyncDispose]()
    await expect(follow({ url, patience: { ...PATIENCE, giveUp: 0 } })).rejects.toMatchObject({
      code: 'server-unreachable',
      hint: expect.stringContaining('the same command joins it'),
    })
    service = await startFakeService()
  })

  it('does not ask again where it is refused', async () => {
    service.problems = [{ status: 404, body: JSON.stringify(problemDocument('verification-unknown', 'there is none', 'look')) }]
    await expect(follow()).rejects.toMatchObject({ code: 'verification-unknown', hint: 'look' })
    expect(service.asked).toHaveLength(1)
  })

  it('ends with the reason of the signal', async () => {
    service.open = true
    const stop = new AbortController()
    const reason = new Error('enough')
    await expect(follow({ signal: stop.signal, onEvent: () => stop.abort(reason) })).rejects.toBe(reason)
  })

  it('leaves out events of a kind that it does not know', async () => {
    service.events = [{ ...EVENTS[0], kind: 'of-a-newer-service' } as unknown as AttemptEvent, ...EVENTS.slice(1)]
    expect((await follow()).heard).toEqual([2, 3, 4, 5, 6])
  })
})
