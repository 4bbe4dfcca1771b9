import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { type DeployState, readDeployState, resumedState, writeDeployState } from './deploy-state.ts'
import { DEPLOYMENT_SCHEMA, type Deployment, type DeploymentEvent, DeployOrder } from './deployment.ts'
import { endingOf } from './deployment-ending.ts'
import { progressOf } from './deployment-state.ts'

const signal = new AbortController().signal
const at = '2026-11-28T00:00:00.000Z'
const INPUTS = { build: '1', to: 'registry.example/app', source: 'here', server: 'https://service.example/', policy: '2', vcpu: '2' }
const [offered, committing, denied, live]: readonly DeploymentEvent[] = [
  {
    kind: 'offered',
    at,
    offer: {
      composeHash: digestOf('a'),
      appCompose: digestOf('a'),
      appId: null,
      osImageHash: null,
      deviceId: null,
      envKey: null,
      handle: {},
    },
  },
  { kind: 'committing', at },
  { kind: 'ended', at, state: 'denied', why: endingOf('deployment-denied') },
  { kind: 'live', at, url: null, answers: [] },
]

function deploymentOf(...events: readonly (DeploymentEvent | undefined)[]): Deployment {
  const happened = events.filter((event) => event !== undefined)
  const head = {
    schema: DEPLOYMENT_SCHEMA,
    id: '01890000-0000-7000-8000-000000000000',
    target: 'dstack-vmm',
    policy: 'p',
    orderedAt: at,
  } as const
  const order = DeployOrder.parse({ name: 'app-one', appCompose: digestOf('a') })
  return { ...head, order, events: happened, state: progressOf({ events: happened }).state }
}

function stateOf(deployment: Deployment | null, change: Partial<DeployState> = {}): DeployState {
  const verification = {
    id: '01890000-0000-7000-8000-000000000001',
    server: INPUTS.server,
    verdict: 'reproduced',
    tier: 'bit-exact',
  } as const
  const pushed = { image: 'registry.example/app@sha256:00', composeHash: digestOf('a') }
  const composes = { [digestOf('a')]: 'YQ==' }
  return { schema: 'bitwitness/deploy-state/v1', inputs: INPUTS, pushed, verification, composes, deployment, ...change }
}

describe('a deployment goes on', () => {
  it.each([
    ['before anything was ordered', stateOf(null, { composes: {} })],
    ['before anything was offered', stateOf(deploymentOf())],
    ['while something is under way', stateOf(deploymentOf(offered, committing))],
    ['where it runs', stateOf(deploymentOf(offered, committing, live))],
  ])('%s, with everything that was done', (_, state) => {
    expect(resumedState(state, { inputs: INPUTS, file: 'state.json' })).toEqual(state)
  })

  it('with another order only where nothing is under way, or runs', () => {
    const other = { ...INPUTS, vcpu: '4', image: 'x' }
    for (const events of [[offered], [offered, committing], [offered, committing, live]])
      expect(thrown(() => resumedState(stateOf(deploymentOf(...events)), { inputs: other, file: 'a/state.json' }))).toMatchObject({
        code: 'deploy-input-changed',
        hint: expect.stringContaining('a/state.json'),
        data: { inputs: ['vcpu', 'image'] },
      })
    for (const events of [[], [offered, denied]]) {
      const after = resumedState(stateOf(deploymentOf(...events)), { inputs: other, file: 'state.json' })
      expect([after.deployment, after.composes, after.inputs, after.pushed === null, after.verification === null]).toEqual([
        null,
        {},
        other,
        false,
        false,
      ])
    }
  })

  it.each([
    ['another build is pushed and rebuilt anew', { build: '9' }, [true, true]],
    ['another registry as well', { to: 'other.example/app' }, [true, true]],
    ['at another service it is rebuilt anew', { server: 'https://other.example/' }, [false, true]],
    ['another policy asks for neither', { policy: '9' }, [false, false]],
  ])('%s', (_, change, gone) => {
    const after = resumedState(stateOf(null), { inputs: { ...INPUTS, ...change }, file: 'state.json' })
    expect([after.pushed === null, after.verification === null]).toEqual(gone)
  })

  it.each(['undecided', 'mismatch'] as const)('and has what was %s rebuilt anew', (verdict) => {
    const was = stateOf(null)
    const state = { ...was, verification: was.verification === null ? null : { ...was.verification, verdict } }
    expect(resumedState(state, { inputs: INPUTS, file: 'state.json' }).verification).toBeNull()
  })
})

it('what is kept is read as it was written, and nothing else lies beside it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-state-'))
  try {
    const file = path.join(folder, 'deploy-state.json')
    expect(await readDeployState(file, signal)).toBeNull()
    const state = stateOf(deploymentOf(offered, committing))
    await writeDeployState(file, state)
    expect([await readDeployState(file, signal), await readdir(folder)]).toEqual([state, ['deploy-state.json']])
    await writeFile(file, Buffer.alloc((16 << 20) + 1, 0x20))
    await expect(readDeployState(file, signal)).rejects.toMatchObject({ code: 'deploy-state-unreadable' })
    await expect(writeDeployState(path.join(folder, 'none', 'state'), state)).rejects.toMatchObject({ code: 'deploy-state-unwritten' })
  } finally {
    await rm(folder, { recursive: true })
  }
})

function thrown(act: () => unknown): Failure {
  try {
    act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing was refused')
}
