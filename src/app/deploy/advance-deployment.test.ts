import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { decideGate } from '../gate/decide-gate.ts'
import { APP_COMPOSE, COMPOSE_HASH, digest, FACTS, POLICY } from '../gate/testing/passing.ts'
import { advanceDeployment, type DeployPorts } from './advance-deployment.ts'
import { DEPLOYMENT_SCHEMA, Deployment, type DeploymentEvent, DeployOrder } from './deployment.ts'
import { isOver, progressOf } from './deployment-state.ts'
import { ScriptedTarget, type TargetScript } from './testing/scripted-target.ts'

const ORDERED = Buffer.from(APP_COMPOSE)
const OTHER = Buffer.from(`${APP_COMPOSE} `)
const APP_ID = 'ab'.repeat(20)
const LOADED = { policy: POLICY, sha256: digest('9') }
const MOST_STEPS = 200

type World = {
  readonly script?: TargetScript
  readonly order?: Partial<DeployOrder>
  /** Hashes of app-composes that are denied. */
  readonly denies?: readonly Sha256[]
  /** Steps, by their number from 0, whose outcome is lost: the process was killed before it was written down. */
  readonly kills?: ReadonlySet<number>
  readonly stepMs?: number
  readonly target?: ScriptedTarget
  /** What stands there before anything was done. */
  readonly events?: readonly DeploymentEvent[]
}

/** One that loses its first answer, refuses the next for the name is taken by then, and shows what it started only later. */
class SlowToShow extends ScriptedTarget {
  #asked = 0
  #hidden = 5

  override async commit(o: Parameters<ScriptedTarget['commit']>[0]): Promise<string> {
    if (this.#asked++ === 0) await super.commit(o)
    throw new Failure({
      code: this.#asked === 1 ? 'target-unreachable' : 'target-name-taken',
      message: '-',
      hint: '-',
      retryable: this.#asked === 1,
    })
  }

  override async find(): Promise<string | undefined> {
    return this.#hidden-- > 0 ? undefined : await super.find()
  }
}

/** Runs a deployment to its end, as something that may be killed between any two of its steps. */
async function run({
  script = {},
  order = {},
  denies = [],
  kills = new Set(),
  stepMs = 1000,
  target = new ScriptedTarget({ appId: APP_ID, ...script }),
  events: before = [],
}: World) {
  const kept = new Map<Sha256, Uint8Array>([[digestOf(ORDERED), ORDERED]])
  const asked: Sha256[] = []
  let now = Date.parse('2026-11-28T00:00:00Z')
  const ports: DeployPorts = {
    target,
    decide: async ({ appCompose }) => {
      const hash = digestOf(appCompose)
      asked.push(hash)
      const app = {
        id: denies.includes(hash) ? 'cd'.repeat(20) : APP_ID,
        compose: { hash: COMPOSE_HASH, lint: FACTS.app?.compose.lint ?? null, admittedBy: null },
      }
      return await Promise.resolve(decideGate(LOADED, { ...FACTS, app }))
    },
    keep: async (bytes) => {
      kept.set(digestOf(bytes), bytes)
      return await Promise.resolve(digestOf(bytes))
    },
    load: async (sha256) => await Promise.resolve(kept.get(sha256) ?? new Uint8Array()),
    environment: [{ name: 'SECRET', value: 'x' }],
    live: async () => await Promise.resolve({ url: 'https://live.example/', answers: [{ path: '/', status: 200 }] }),
    now: () => new Date(now),
  }
  let deployment: Deployment = {
    schema: DEPLOYMENT_SCHEMA,
    state: 'ordered',
    id: '01890000-0000-7000-8000-000000000000',
    target: 'here',
    policy: 'production',
    orderedAt: new Date(now).toISOString(),
    order: DeployOrder.parse({ name: 'app-one', appCompose: digestOf(ORDERED), ...order }),
    events: [...before],
  }
  deployment = { ...deployment, state: progressOf(deployment).state }
  for (let step = 0; step < MOST_STEPS && !isOver(deployment.state); step += 1) {
    now += stepMs
    try {
      const { events } = await advanceDeployment(ports, deployment, new AbortController().signal)
      if (kills.has(step)) continue
      const after = { ...deployment, events: [...deployment.events, ...events] }
      deployment = Deployment.parse({ ...after, state: progressOf(after).state })
    } catch (error) {
      if (!(error instanceof Failure) || !error.retryable) throw error
    }
  }
  return { deployment, target, asked, last: deployment.events.at(-1) }
}

describe('a deployment', () => {
  it('is offered, decided, written down, started, followed and asked', async () => {
    const { deployment, target, asked } = await run({})
    expect(deployment.events.map(({ kind }) => kind)).toEqual([
      'offered',
      'decided',
      'committing',
      'committed',
      'state',
      'state',
      'attested',
      'live',
    ])
    expect([deployment.state, target.everStarted, asked]).toEqual(['running', 1, [digestOf(ORDERED)]])
    expect(target.guests[0]?.withEnvironment).toBe(true)
  })

  it('starts nothing that the policy denies', async () => {
    const { deployment, target, last } = await run({ denies: [digestOf(ORDERED)] })
    expect([deployment.state, target.everStarted]).toEqual(['denied', 0])
    expect(last).toMatchObject({ kind: 'ended', why: { code: 'deployment-denied' } })
  })

  it('starts nothing whose bytes the target keeps to itself', async () => {
    const { deployment, target, asked, last } = await run({ script: { measures: OTHER } })
    expect([deployment.state, target.everStarted, asked]).toEqual(['denied', 0, []])
    expect(last).toMatchObject({ kind: 'ended', why: { code: 'deployment-unpredicted' } })
  })

  it('judges the bytes that the target makes of what was ordered, where it shows them', async () => {
    const allowed = await run({ script: { measures: OTHER, shows: true } })
    expect([allowed.deployment.state, allowed.asked]).toEqual(['running', [digestOf(OTHER)]])
    const denied = await run({ script: { measures: OTHER, shows: true }, denies: [digestOf(OTHER)] })
    expect([denied.deployment.state, denied.target.everStarted]).toEqual(['denied', 0])
  })

  it('starts what nobody has seen by that very option alone, without secrets, and judges what it attests', async () => {
    const { deployment, target, asked } = await run({ script: { measures: OTHER }, order: { unpredicted: 'start-without-secrets' } })
    expect([deployment.state, target.everStarted, asked]).toEqual(['running', 1, [digestOf(OTHER)]])
    expect(target.guests[0]?.withEnvironment).toBe(false)
  })

  it.each([
    ['the policy denies', { script: { measures: OTHER }, denies: [digestOf(OTHER)] }, 'denied', 'deployment-denied'],
    ['are others than it offered', { script: { measures: OTHER, attests: ORDERED } }, 'denied', 'deployment-compose-differs'],
    [
      'it never shows, since it takes too long',
      { script: { measures: OTHER, becomes: 'starting' }, stepMs: 30_000 },
      'failed',
      'deployment-boot-time-limit',
    ],
  ] as const)('stops a guest whose bytes %s', async (_, world, state, code) => {
    const { deployment, target, last } = await run({ ...world, order: { unpredicted: 'start-without-secrets' } })
    expect([deployment.state, target.everStarted, target.running]).toEqual([state, 1, 0])
    expect(last).toMatchObject({ kind: 'ended', why: { code } })
  })

  it('ends where the guest does not boot, stops, or takes too long', async () => {
    expect((await run({ script: { becomes: 'failed' } })).last).toMatchObject({ state: 'failed', why: { code: 'deployment-boot-failed' } })
    expect((await run({ script: { becomes: 'stopped' } })).last).toMatchObject({ state: 'failed', why: { code: 'deployment-stopped' } })
    const slow = await run({ script: { becomes: 'starting' }, stepMs: 30_000 })
    expect(slow.last).toMatchObject({ state: 'failed', why: { code: 'deployment-boot-time-limit' } })
  })

  it('ends where the target gives it another app id', async () => {
    const { deployment, target, last } = await run({ order: { appId: 'cd'.repeat(20) } })
    expect([deployment.state, target.everStarted]).toEqual(['failed', 0])
    expect(last).toMatchObject({ why: { code: 'deployment-app-differs' } })
  })

  it('is stopped where it runs other bytes than those that were decided', async () => {
    const { target, last } = await run({ script: { attests: OTHER } })
    expect([target.everStarted, target.running]).toEqual([1, 0])
    expect(last).toMatchObject({ state: 'denied', why: { code: 'deployment-compose-differs' } })
  })

  it('starts nothing that nobody has seen by what is written down alone', async () => {
    const at = '2026-11-28T00:00:00.000Z'
    const hash = digestOf(OTHER)
    const unseen = { composeHash: hash, appCompose: null, appId: APP_ID, osImageHash: null, deviceId: null, envKey: null, handle: {} }
    const target = new ScriptedTarget({ appId: APP_ID, measures: OTHER })
    const events: readonly DeploymentEvent[] = [
      { kind: 'offered', at, offer: unseen },
      { kind: 'unpredicted', at },
      { kind: 'committing', at },
    ]
    await expect(run({ target, events })).rejects.toThrow('nobody decided')
    expect(target.everStarted).toBe(0)
  })

  it('is stopped where what nobody had seen is longer than any app-compose, whatever was offered', async () => {
    const long = Buffer.alloc(300 * 1024, ' ')
    const { target, asked, last } = await run({ script: { measures: long }, order: { unpredicted: 'start-without-secrets' } })
    expect([target.everStarted, target.running, asked]).toEqual([1, 0, []])
    expect(last).toMatchObject({ state: 'denied', why: { code: 'deployment-compose-differs' } })
  })

  it('is looked for a while where nobody has seen its bytes, and the target shows late that it started it', async () => {
    const target = new SlowToShow({ appId: APP_ID, measures: OTHER })
    const { last } = await run({ target, order: { unpredicted: 'start-without-secrets' } })
    expect([target.everStarted, target.running]).toEqual([1, 0])
    expect(last).toMatchObject({ state: 'failed', why: { code: 'target-name-taken' } })
  })

  it('waits a while for a guest to say what it runs, and no longer', async () => {
    const { deployment } = await run({ script: { attests: null }, stepMs: 10_000 })
    const at = (wanted: string) => Date.parse(deployment.events.findLast(({ kind }) => kind === wanted)?.at ?? '')
    expect([deployment.state, (at('live') - at('state')) / 10_000]).toEqual(['running', 13])
    expect(deployment.events.some(({ kind }) => kind === 'attested')).toBe(false)
  })

  it('is decided again where the decision is old by the time that it is started', async () => {
    const { deployment, asked } = await run({ stepMs: 6 * 60_000 })
    expect([deployment.state, asked.length]).toEqual(['running', 2])
  })
})

it('comes to one and the same end wherever it is killed and whatever answer is lost, and starts at most one guest', async () => {
  const world = fc.record({
    measures: fc.constantFrom(undefined, OTHER),
    unpredicted: fc.constantFrom('deny', 'start-without-secrets' as const),
    denies: fc.subarray([digestOf(ORDERED), digestOf(OTHER)]),
    becomes: fc.constantFrom('running', 'failed' as const),
    attests: fc.constantFrom(undefined, ORDERED),
  })
  const steps = fc.array(fc.nat(30), { maxLength: 6 }).map((numbers) => new Set(numbers))
  await fc.assert(
    fc.asyncProperty(world, steps, steps, async ({ measures, unpredicted, denies, becomes, attests }, kills, fails) => {
      const script = { becomes, ...(measures === undefined ? {} : { measures, ...(attests === undefined ? {} : { attests }) }) }
      const order = { unpredicted }
      const calm = await run({ script, order, denies })
      const { deployment, target, last } = await run({ script: { ...script, fails }, order, denies, kills })
      expect(deployment.state).toBe(calm.deployment.state)
      expect(target.everStarted).toBe(calm.target.everStarted)
      expect(target.everStarted).toBeLessThanOrEqual(1)
      if (deployment.state === 'denied') expect(target.running).toBe(0)
      if (last?.kind === 'ended' && calm.last?.kind === 'ended') expect(last.why.code).toBe(calm.last.why.code)
    }),
    { numRuns: 300 },
  )
})
