import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptVerification, type ServicePorts } from '../src/app/service/accept-verification.ts'
import { cancelVerification, decide } from '../src/app/service/end-verification.ts'
import { markPrepared } from '../src/app/service/prepare-verification.ts'
import { SERVICE_EVENTS, type ServiceEvents } from '../src/app/service/service-events.ts'
import type { Owner } from '../src/app/store/records.ts'
import { StoreRoom } from '../src/store-room.ts'
import { addOwner, Clock, commandOf, decisionOf, portsOf, preparedOf, submissionOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

describe.each(databases())('what the service tells of, on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let owner: Owner
  let told: [string, unknown][]
  let ports: ServicePorts

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    owner = await addOwner(store, 'alice', clock.now())
    const events = Object.fromEntries(SERVICE_EVENTS.map((event) => [event, (facts: unknown) => told.push([event, facts])]))
    ports = { ...portsOf(store, clock), events: events as unknown as ServiceEvents }
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  let made = 0
  const accept = async (): Promise<string> => {
    made += 1
    told = []
    const source = { kind: 'git', url: `https://git.example/${made}`, commit: 'c'.repeat(40), path: '.' } as const
    const command = commandOf(submissionOf(owner.id, { source, attempts: 1 }))
    const { verificationId } = await acceptVerification(ports, command)
    expect((await acceptVerification(ports, command)).verificationId).toBe(verificationId)
    const accepted = { verification: verificationId, owner: owner.id, trusted: true }
    expect(told.splice(0)).toEqual([
      ['submissionAccepted', { ...accepted, joined: false }],
      ['submissionAccepted', { ...accepted, joined: true }],
    ])
    return verificationId
  }

  it('is a submission that was prepared, once', async () => {
    const id = await accept()
    for (const _ of [1, 2]) await markPrepared(ports, id, preparedOf(submissionOf(owner.id)))
    expect(told).toEqual([['submissionPrepared', { verification: id, architecture: 'amd64', locked: false }]])
  })

  it('is a verification that was cancelled, once', async () => {
    const id = await accept()
    for (const _ of [1, 2]) await cancelVerification(ports, id)
    expect(told).toEqual([['verificationCancelled', { verification: id, owner: owner.id }]])
  })

  it('is a verdict, once, and how long it took', async () => {
    const id = await accept()
    clock.pass(1500)
    const decision = decisionOf({ verdict: 'undecided', tier: null, artifacts: [], statements: [] })
    for (const _ of [1, 2]) await decide(ports, id, decision)
    expect(told).toEqual([['verdictGiven', { verification: id, verdict: 'undecided', tier: null, seconds: 1.5 }]])
  })

  it('is nothing where the transaction failed', async () => {
    told = []
    const stop = new Error('stop')
    const failing: ServicePorts = { ...ports, unitOfWork: { run: () => Promise.reject(stop) } }
    await expect(acceptVerification(failing, commandOf(submissionOf(owner.id)))).rejects.toBe(stop)
    expect(told).toEqual([])
  })
})
