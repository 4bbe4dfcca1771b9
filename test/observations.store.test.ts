import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APP_ID, COMPOSE_HASH } from '../src/app/gate/testing/passing.ts'
import { INSPECTION_SCHEMA, type Inspection } from '../src/app/inspect/inspection.ts'
import { AppView, DeploymentAnswer, ObservationAnswer, type ObservationView } from '../src/app/service/deployment-documents.ts'
import { deploymentWork } from '../src/app/service/deployment-work.ts'
import { Housekeeping } from '../src/app/service/housekeeping.ts'
import { OBSERVATION_TRIES, observationWork, outcomeOf } from '../src/app/service/observation-work.ts'
import { repairJobs } from '../src/app/service/repair-jobs.ts'
import type { HttpApp } from '../src/http/http-ports.ts'
import { Failure } from '../verifier/model/failure.ts'
import { ANNOUNCED, DeployingService, orderOf } from './deploying.ts'
import { ask, newId } from './http-service.ts'
import { databases } from './stores.ts'
import { workOff } from './worked-off.ts'

const EVERY_MS = 3_600_000
const DAY_MS = 86_400_000
const DEPLOYED = { appId: APP_ID, composeHash: COMPOSE_HASH }
const signal = new AbortController().signal

describe.each(databases())('observations on %s', (kind) => {
  let service: DeployingService
  let app: HttpApp
  let seen: Partial<Inspection> | Failure = {}
  const asked: unknown[] = []
  const told: unknown[] = []

  beforeAll(async () => {
    service = await DeployingService.open(kind)
    app = service.http.app()
  })
  afterAll(async () => {
    await service.http[Symbol.asyncDispose]()
  })

  const inspectionOf = (change: Partial<Inspection>): Inspection => ({
    schema: INSPECTION_SCHEMA,
    verdict: 'unproven',
    at: service.http.clock.now().toISOString(),
    url: ANNOUNCED.url,
    app: { id: APP_ID, instanceId: null, composeHash: null, osImageHash: null },
    tcb: null,
    lines: [],
    images: [],
    quote: null,
    appCompose: null,
    policy: null,
    ...change,
  })
  const work = () =>
    observationWork({
      ...service.http.ports,
      reads: service.http.store.reads,
      everyMs: EVERY_MS,
      inspect: async (what) => {
        asked.push(what)
        if (seen instanceof Failure) throw seen
        return await Promise.resolve(inspectionOf(seen))
      },
      events: { observed: (facts) => void told.push(facts) },
    })
  /** One look at everything whose time has come, by the clock of the service. */
  const look = async (): Promise<void> => {
    const { store } = service.http
    const due = sql`name = 'observation' and state = 'created'`
    await store.database.drizzle.execute(sql`update queue.job set start_after = now() - interval '1 second' where ${due}`)
    for (;;) {
      const job = await store.unitOfWork.run(({ jobs }) => jobs.take('observation'))
      if (job === undefined) return
      const end = await work()(job, signal)
      await store.unitOfWork.run(async (unit) => {
        await end.write?.(unit)
        await unit.jobs.complete('observation', job.id)
        // Far ahead: it is looked at once a call.
        if (end.end === 'again') await unit.jobs.enqueue('observation', job.data, { after: new Date(Date.now() + DAY_MS) })
      })
      end.told?.()
    }
  }
  const announce = async (token = 'mallory') => {
    const headers = { 'content-type': 'application/json' }
    const { json } = await ask(app, '/v1/deployments', { method: 'POST', token, headers, body: JSON.stringify(ANNOUNCED) })
    return DeploymentAnswer.parse(json).id
  }
  const list = async () => (await ask(app, `/v1/apps/${APP_ID}/observations`)).json as { items: ObservationView[]; next: string | null }

  it('are made of what is announced, at once and then by the hour, a row for each change', async () => {
    const id = await announce()
    seen = { quote: null }
    for (let hour = 0; hour < 3; hour += 1) {
      await look()
      service.http.clock.pass(EVERY_MS)
      // Each time another quote, at another time.
      seen = { quote: outcomeOf({ inspection: null, code: `quote ${hour}` }) }
    }
    seen = { verdict: 'failed' }
    await look()
    const { items } = await list()
    expect(items.map(({ verdict, count, deployment }) => [verdict, count, deployment])).toEqual([
      ['failed', 1, id],
      ['unproven', 3, id],
    ])
    expect(Date.parse(items[1]?.lastAt ?? '') - Date.parse(items[1]?.firstAt ?? '')).toBe(2 * EVERY_MS)
    expect(asked.at(-1)).toEqual({ url: ANNOUNCED.url, healthPath: null, policy: null, deployed: DEPLOYED })
    expect(told).toEqual([
      { deployment: id, verdict: 'unproven', code: null, isNew: true },
      { deployment: id, verdict: 'unproven', code: null, isNew: false },
      { deployment: id, verdict: 'unproven', code: null, isNew: false },
      { deployment: id, verdict: 'failed', code: null, isNew: true },
    ])
    const one = ObservationAnswer.parse((await ask(app, items[0]?.links.self ?? '')).json)
    expect(one.inspection).toMatchObject({ verdict: 'failed', url: ANNOUNCED.url })
    expect((await ask(app, `/v1/observations/${newId()}`)).status).toBe(404)
    // Nothing is due before its time.
    expect(await workOff(service.http.store, 'observation', work())).toEqual([])
  })

  it('are made of what was deployed once it runs, by the policy that let it', async () => {
    service.play()
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify(orderOf({}, { live: { port: 8080, healthPath: '/healthz' } }))
    const { json } = await ask(app, '/v1/deployments', { method: 'POST', token: 'alice', headers, body })
    await workOff(service.http.store, 'deployment', deploymentWork(service.ports()))
    seen = { verdict: 'verified' }
    await look()
    const { items } = await list()
    expect(items.map(({ verdict, deployment }) => [verdict, deployment])).toContainEqual(['verified', (json as { id: string }).id])
    expect(asked).toContainEqual({ url: 'https://live.example/', healthPath: '/healthz', policy: 'production', deployed: DEPLOYED })
    const view = AppView.parse((await ask(app, `/v1/apps/${APP_ID}`)).json)
    expect(view.deployments.map(({ state }) => state)).toEqual(['running', 'announced'])
    expect([view.composes.length, view.observation?.verdict]).toEqual([1, 'verified'])
    const unknown = AppView.parse((await ask(app, `/v1/apps/${'0'.repeat(40)}`)).json)
    expect(unknown).toMatchObject({ deployments: [], composes: [], observation: null, decision: null })
  })

  it('say by a code that nobody could look, and are tried again before where that may pass', async () => {
    const failure = (retryable: boolean) => new Failure({ code: 'gateway-not-listed', message: 'm', hint: 'h', retryable })
    seen = failure(false)
    await look()
    expect((await list()).items[0]).toMatchObject({ verdict: null, code: 'gateway-not-listed', count: 1 })
    seen = failure(true)
    const id = await announce()
    const job = { id: newId(), data: { deploymentId: id } }
    await expect(work()({ ...job, tries: OBSERVATION_TRIES - 1 }, signal)).rejects.toMatchObject({ retryable: true })
    expect(await work()({ ...job, tries: OBSERVATION_TRIES }, signal)).toMatchObject({ end: 'again' })
  })

  it('come at their hour, a tenth sooner or later', async () => {
    seen = {}
    const id = await announce()
    const times = new Set<number>()
    for (let round = 0; round < 20; round += 1) {
      const end = await work()({ id: newId(), data: { deploymentId: id }, tries: 1 }, signal)
      if (end.end !== 'again' || end.next === undefined) throw new Error('it ended')
      times.add(end.next.at.getTime() - service.http.clock.now().getTime())
    }
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0.9 * EVERY_MS)
    expect(Math.max(...times)).toBeLessThanOrEqual(1.1 * EVERY_MS)
    expect(times.size).toBeGreaterThan(10)
  })

  it('end when the deployment is withdrawn, and are taken up again by whoever finds their jobs gone', async () => {
    const { store, ports } = service.http
    const id = await announce()
    await store.database.drizzle.execute(sql`delete from queue.job where name = 'observation'`)
    const alive = (await store.reads.deployments.alive({ cursor: null, limit: 100 })).items.length
    expect(await repairJobs({ ...ports, reads: store.reads })).toBeGreaterThanOrEqual(alive)
    await ask(app, `/v1/deployments/${id}/withdraw`, { method: 'POST', token: 'mallory' })
    expect(await work()({ id: newId(), data: { deploymentId: id }, tries: 1 }, signal)).toEqual({ end: 'done' })
  })

  it('are forgotten after a while, but the newest of each deployment', async () => {
    const before = (await list()).items
    service.http.clock.pass(365 * DAY_MS)
    const { ports } = service.http
    const troubles: unknown[] = []
    const house = new Housekeeping({
      ...ports,
      events: { housekept: () => {}, trouble: ({ error }) => void troubles.push(error) },
      retention: { uploadsMs: DAY_MS, recordsMs: 90 * DAY_MS, artifactsMs: DAY_MS },
      removeBytes: async () => await Promise.resolve(true),
      settleBrought: async () => {},
    })
    await house.round(signal)
    expect(troubles).toEqual([])
    const after = (await list()).items
    expect(after.length).toBeLessThan(before.length)
    expect(new Set(after.map(({ deployment }) => deployment))).toEqual(new Set(before.map(({ deployment }) => deployment)))
    expect(after.length).toBe(new Set(after.map(({ deployment }) => deployment)).size)
  })
})
