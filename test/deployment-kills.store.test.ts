import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeploymentState } from '../src/app/deploy/deployment.ts'
import type { ScriptedTarget, TargetScript } from '../src/app/deploy/testing/scripted-target.ts'
import { APP_COMPOSE } from '../src/app/gate/testing/passing.ts'
import { deploymentWork } from '../src/app/service/deployment-work.ts'
import { JOB_TIMING, type JobPorts, runJobs } from '../src/app/service/job-runner.ts'
import { orderDeployment } from '../src/app/service/order-deployment.ts'
import type { UnitOfWork } from '../src/app/store/store-ports.ts'
import { DeployingService, orderOf } from './deploying.ts'
import { IDLE_TRADES } from './noting-runner.ts'
import { hurry, loseWorkers, takeBack } from './queued.ts'
import { databases } from './stores.ts'

const OTHER = Buffer.from(`${APP_COMPOSE} `)
const ENDS: readonly string[] = ['running', 'denied', 'failed'] satisfies DeploymentState[]
/** Where a coordinator is killed: before it does a step, when it did, while it writes what came of it, and when that is there. */
const PHASES = ['taken', 'worked', 'writing', 'written'] as const
type Kill = { readonly step: number; readonly phase: (typeof PHASES)[number] }
const MOST_ROUNDS = 300
/** What happens once; how often a guest was seen is chance. */
const CALM = ['offered', 'decided', 'committing', 'committed', 'attested', 'live']

class Killed extends Error {}

describe.each(databases())('a deployment on %s', (kind) => {
  let service: DeployingService

  beforeAll(async () => {
    service = await DeployingService.open(kind)
  })
  afterAll(async () => {
    await service.http[Symbol.asyncDispose]()
  })

  const order = async (change: object): Promise<string> => {
    const caller = service.http.callers.get('Bearer alice')
    if (caller === undefined) throw new Error('alice is not there')
    const request = orderOf({}, { live: null, options: {}, appId: null, ...change }) as Parameters<typeof orderDeployment>[1]['request']
    return (await orderDeployment(service.http.httpPorts(), { caller, request, idempotencyKey: null })).deployment.id
  }
  const endOf = async (id: string, target: ScriptedTarget) => {
    const found = await service.http.store.reads.deployments.read(id)
    const last = found?.ordered?.events.at(-1)
    return {
      state: found?.state,
      code: last?.kind === 'ended' ? last.why.code : null,
      started: target.everStarted,
      running: target.running,
    }
  }

  /** One coordinator after the other, each of which is killed where it is told to. */
  async function survive(script: TargetScript, change: object, kills: readonly Kill[]) {
    const target = service.play(script)
    const id = await order(change)
    const { unitOfWork } = service.http.store
    const work = deploymentWork(service.ports())
    for (let step = 0; step < MOST_ROUNDS; step += 1) {
      const job = await unitOfWork.run(({ jobs }) => jobs.take('deployment'))
      if (job === undefined) break
      const killed = (phase: Kill['phase']): boolean => kills.some((kill) => kill.step === step && kill.phase === phase)
      try {
        if (killed('taken')) throw new Killed()
        const end = await work(job, new AbortController().signal)
        if (killed('worked')) throw new Killed()
        await unitOfWork.run(async (unit) => {
          await end.write?.(unit)
          await unit.jobs.complete('deployment', job.id)
          if (end.end === 'again' && end.next !== undefined) await unit.jobs.enqueue('deployment', end.next.data, { after: end.next.at })
          if (killed('writing')) throw new Killed()
        })
      } catch (error) {
        if (error instanceof Killed) await loseWorkers(service.http.store)
        else await unitOfWork.run(({ jobs }) => jobs.retry('deployment', job))
        await hurry(service.http.store)
      }
    }
    return await endOf(id, target)
  }

  it('comes to one and the same end wherever its coordinators are killed and whatever answer is lost, and starts at most one guest', async () => {
    const kill = fc.record({ step: fc.nat(12), phase: fc.constantFrom(...PHASES) })
    const world = fc.record({
      script: fc.constantFrom<TargetScript>({}, { measures: OTHER }, { becomes: 'failed' }, { appId: 'cd'.repeat(20) }),
      unpredicted: fc.constantFrom('deny', 'start-without-secrets'),
      kills: fc.array(kill, { maxLength: 5 }),
      fails: fc.array(fc.nat(20), { maxLength: 4 }).map((calls) => new Set(calls)),
    })
    await fc.assert(
      fc.asyncProperty(world, async ({ script, unpredicted, kills, fails }) => {
        const calm = await survive(script, { unpredicted }, [])
        expect(ENDS).toContain(calm.state)
        expect(await survive({ ...script, fails }, { unpredicted }, kills)).toEqual(calm)
        expect(calm.started).toBeLessThanOrEqual(1)
        if (calm.state === 'denied') expect(calm.running).toBe(0)
      }),
      { numRuns: 12, endOnFailure: true },
    )
  })

  it('is done by any number of coordinators, who lose their jobs to each other, once', async () => {
    const { store, ports } = service.http
    const target = service.play()
    const id = await order({})
    const stop = new AbortController()
    const troubles: unknown[] = []
    const events: JobPorts['events'] = {
      // What else lies in this database is nobody's here.
      jobFailed: (facts) => void (facts.kind === 'deployment' && troubles.push(facts)),
      trouble: (facts) => void troubles.push(facts),
    }
    let written = 0
    /** Whoever wrote has lost the next job by the time that it has it. */
    const unitOfWork: UnitOfWork = {
      run: async (work) => {
        const result = await store.unitOfWork.run(work)
        written += 1
        if (written % 7 === 0 && written < 70) await takeBack(store)
        if (ENDS.includes((await store.reads.deployments.read(id))?.state ?? '')) stop.abort()
        return result
      },
    }
    const one = () =>
      runJobs(
        { ...ports, notices: store.notices, unitOfWork, events },
        { ...IDLE_TRADES, deployment: { atOnce: 2, work: deploymentWork(service.ports()) } },
        stop.signal,
        { ...JOB_TIMING, pollMs: 50, touchMs: 20 },
      )
    await Promise.all([one(), one(), one()])
    expect([await endOf(id, target), troubles]).toEqual([{ state: 'running', code: null, started: 1, running: 1 }, []])
    const kinds = (await store.reads.deployments.read(id))?.ordered?.events.map((event) => event.kind)
    expect(kinds?.filter((one) => one !== 'state')).toEqual(CALM)
  })
})
