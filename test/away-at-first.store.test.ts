import { describe, expect, inject, it, vi } from 'vitest'
import { acceptVerification } from '../src/app/service/accept-verification.ts'
import { JOB_TIMING, runJobs } from '../src/app/service/job-runner.ts'
import { StoreRoom } from '../src/store-room.ts'
import { codeOf } from '../src/worker/patience.ts'
import { IDLE_TRADES, noting } from './noting-runner.ts'
import { PostgresRelay } from './postgres-relay.ts'
import { addOwner, Clock, commandOf, portsOf, submissionOf } from './stored.ts'
import { emptyDatabase, onTrouble, urlOf } from './stores.ts'

describe.skipIf(inject('postgres') === null)('a database that is away when a coordinator begins its jobs', () => {
  it('is told of once, and its jobs are done as soon as they are told of once it is back', async () => {
    await using place = await emptyDatabase('postgres')
    await using direct = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    const clock = new Clock()
    const owner = await addOwner(direct, 'alice', clock.now())
    await using relay = await PostgresRelay.open(urlOf(place))
    await using store = await StoreRoom.open({ url: relay.url, folder: place.folder, superviseSeconds: null, onTrouble })
    // Somebody of the same process listens already.
    const nothing = { onNotice: () => {}, onGap: () => {} }
    await using _listening = await store.notices.listen('jobs', nothing)
    relay.goAway()
    // Over the same connection: the driver knows by then.
    await expect(store.notices.listen('events', nothing)).rejects.toMatchObject({ code: 'database-unreachable' })
    const told: string[] = []
    const events = {
      jobFailed: () => {},
      trouble: ({ where, error }: { where: string; error: unknown }) => void told.push(`${where} ${codeOf(error)}`),
    }
    const stop = new AbortController()
    const trades = {
      ...IDLE_TRADES,
      preparation: { atOnce: 1, work: async ({ data }) => ({ end: 'done', write: noting(data.verificationId) }) },
    } satisfies Parameters<typeof runJobs>[1]
    const { unitOfWork, notices } = store
    const running = runJobs({ unitOfWork, notices, now: () => new Date(), events }, trades, stop.signal, { ...JOB_TIMING, pollMs: 100 })
    await vi.waitFor(() => expect(told).toContain('notices database-unreachable'), { timeout: 30_000 })
    await relay.comeBack()
    const { verificationId } = await acceptVerification(portsOf(direct, clock), commandOf(submissionOf(owner.id)))
    await vi.waitFor(async () => expect(await direct.reads.events.after(verificationId, 0, 10)).toHaveLength(1), { timeout: 30_000 })
    stop.abort()
    await running
    expect(told.filter((one) => one.startsWith('notices'))).toEqual(['notices database-unreachable'])
  })
})
