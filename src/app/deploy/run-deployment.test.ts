import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { Decision } from '../gate/decision.ts'
import type { DeployPorts } from './advance-deployment.ts'
import { DEPLOYMENT_SCHEMA, type Deployment, DeployOrder } from './deployment.ts'
import { runDeployment } from './run-deployment.ts'
import { ScriptedTarget, type TargetScript } from './testing/scripted-target.ts'

const BYTES = Buffer.from('{"name":"app"}')
const PATIENCE = { retryDelay: 1, retryDelayMax: 2, giveUp: 60_000 }
const ordered: Deployment = {
  schema: DEPLOYMENT_SCHEMA,
  state: 'ordered',
  id: '01890000-0000-7000-8000-000000000000',
  target: 'here',
  policy: 'production',
  orderedAt: '2026-11-28T00:00:00.000Z',
  order: DeployOrder.parse({ name: 'app-one', appCompose: digestOf(BYTES) }),
  events: [],
}

async function run(
  o: {
    readonly script?: TargetScript
    readonly follow?: boolean
    readonly giveUp?: number
    readonly order?: Partial<DeployOrder>
    /** What happened before, as a state file says it. */
    readonly before?: Deployment['events']
    readonly decision?: Decision
  } = {},
) {
  const target = new ScriptedTarget({ attests: BYTES, ...o.script })
  const saved: Deployment[] = []
  const told: string[] = []
  const ports: DeployPorts = {
    target,
    decide: async () => await Promise.resolve(o.decision ?? ALLOWED),
    keep: async (bytes) => await Promise.resolve(digestOf(bytes)),
    load: async () => await Promise.resolve(BYTES),
    environment: null,
    live: async () => await Promise.resolve({ url: null, answers: [] }),
    now: () => new Date(),
  }
  const deployment = await runDeployment({
    ports,
    deployment: { ...ordered, order: { ...ordered.order, ...o.order }, events: o.before ?? [] },
    save: async (after) => await Promise.resolve(void saved.push(after)),
    onEvent: ({ kind }) => told.push(`${saved.length} ${kind}`),
    onLost: ({ code }) => told.push(code),
    follow: o.follow ?? true,
    signal: new AbortController().signal,
    patience: { ...PATIENCE, ...(o.giveUp === undefined ? {} : { giveUp: o.giveUp }) },
  }).catch((error: unknown) => error)
  return { deployment, saved, told, target }
}

const ALLOWED: Decision = {
  schema: 'bitwitness/decision/v1',
  decision: 'allow',
  judged: 'allow',
  mode: 'enforce',
  policy: { name: 'production', sha256: digestOf('policy') },
  at: '2026-11-28T00:00:00.000Z',
  app: null,
  images: [],
  rules: [],
  attestations: [],
}

describe('running a deployment', () => {
  it('keeps each step before it tells of it, and before the next one', async () => {
    const { saved, told } = await run({ follow: false })
    expect(told).toEqual(['1 offered', '2 decided', '3 committing', '4 committed'])
    expect(saved.map(({ state }) => state)).toEqual(['offered', 'allowed', 'committing', 'committed'])
  })

  it('asks again what is away, and tells of it once', async () => {
    const { deployment, told, target } = await run({ script: { fails: new Set([0, 1, 2]) }, follow: false })
    expect([(deployment as Deployment).state, target.everStarted]).toEqual(['committed', 1])
    expect(told.filter((line) => line === 'target-unreachable')).toHaveLength(1)
  })

  it('gives up what stays away, and leaves the deployment where it was', async () => {
    const always = new Set(Array.from({ length: 1000 }, (_, call) => call))
    const { deployment, saved } = await run({ script: { fails: always }, giveUp: 0 })
    expect(deployment).toBeInstanceOf(Failure)
    expect([(deployment as Failure).code, saved]).toEqual(['target-unreachable', []])
  })

  it.each(['deny', 'allow'] as const)('believes no decision of another process: %s', async (decision) => {
    const at = new Date().toISOString()
    const first = await run({ follow: false })
    const [offered] = (first.deployment as Deployment).events
    if (offered === undefined) throw new Error('it was offered')
    const before: Deployment['events'] = [
      offered,
      { kind: 'decided', at, basis: 'predicted', decision: ALLOWED },
      { kind: 'committing', at },
    ]
    const { deployment, target } = await run({ before, follow: false, decision: { ...ALLOWED, decision } })
    const kinds = (deployment as Deployment).events.slice(3).map(({ kind }) => kind)
    expect(kinds).toEqual(['decided', decision === 'deny' ? 'ended' : 'committed'])
    expect(target.everStarted).toBe(decision === 'deny' ? 0 : 1)
  })

  it('follows what nobody has seen to its end, whoever waits', async () => {
    const script = { measures: Buffer.from('{"name":"other"}'), attests: Buffer.from('{"name":"third"}') }
    const { deployment, target } = await run({ script, follow: false, order: { unpredicted: 'start-without-secrets' } })
    expect([(deployment as Deployment).state, target.running]).toEqual(['denied', 0])
  })
})
