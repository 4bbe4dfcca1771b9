import { afterEach, describe, expect, it } from 'vitest'
import type { PhalaFault } from '../../test/stand-ins/phala-faults.ts'
import { structured, validation } from '../../test/stand-ins/phala-refusals.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Secret } from '../../verifier/model/secret.ts'
import { DeployOrder } from '../app/deploy/deployment.ts'
import { PhalaCloud } from './phala-cloud.ts'
import { closeClouds, ENVIRONMENT, FILE, FULL, MINIMAL, openCloud, targetAt, trial } from './testing/phala-trial.ts'

afterEach(closeClouds)

const answer = (status: number, body?: unknown, headers?: Record<string, string>): PhalaFault => ({
  kind: 'answer',
  status,
  ...(body === undefined ? {} : { body }),
  ...(headers === undefined ? {} : { headers }),
})
const LEAK = 'a text of theirs'

describe('what Phala Cloud may do instead', () => {
  it.each([
    ['a key it does not take', 'POST /cvms/provision', answer(401, { detail: LEAK }), 'target-credentials-refused'],
    ['an account that may not', 'POST /cvms', answer(403, { detail: LEAK }), 'target-credentials-refused'],
    ['an order it refuses', 'POST /cvms/provision', answer(422, validation('instance_type', LEAK)), 'target-order-refused'],
    ['a name that is taken', 'POST /cvms', answer(409, { detail: LEAK }), 'target-name-taken'],
    ['no room', 'POST /cvms/provision', answer(400, structured('ERR-02-002', LEAK)), 'target-without-room'],
    ['a contract to ask', 'POST /cvms', answer(465, structured('ERR-01-005', LEAK)), 'target-kms-on-chain'],
    ['466', 'POST /cvms', answer(466, {}), 'target-kms-on-chain'],
    ['467', 'POST /cvms', answer(467, {}), 'target-kms-on-chain'],
    ['468', 'POST /cvms', answer(468, {}), 'target-kms-on-chain'],
    ['no JSON', 'POST /cvms/provision', answer(200, LEAK), 'target-answer-malformed'],
    ['an answer without end', 'POST /cvms/provision', { kind: 'huge' }, 'target-answer-malformed'],
    ['a key twice', 'POST /cvms/provision', { kind: 'twice' }, 'target-answer-malformed'],
    ['a redirect', 'POST /cvms/provision', answer(307, {}, { location: 'https://elsewhere.example/' }), 'target-redirects'],
    [
      'another form of a hash',
      'POST /cvms/provision',
      { kind: 'changed', change: (body) => ({ ...body, compose_hash: 'AB' }) },
      'target-answer-malformed',
    ],
  ] as const satisfies readonly (readonly [string, string, PhalaFault, string])[])(
    '%s ends it by a code of ours',
    async (_, route, fault, code) => {
      const { cloud, state, why, deployment } = await trial({ faults: (standIn) => standIn.faults.add(route, fault) })
      expect([state, why, cloud.world.everStarted]).toEqual(['failed', code, 0])
      expect(JSON.stringify(deployment)).not.toContain(LEAK)
    },
  )

  it('a hash of other bytes than those provisioned starts nothing', async () => {
    const change = (body: Record<string, unknown>) => ({ ...body, compose_hash: 'ab'.repeat(32) })
    const { cloud, why } = await trial({ faults: ({ faults }) => faults.add('POST /cvms/provision', { kind: 'changed', change }) })
    expect([why, cloud.world.everStarted]).toEqual(['deployment-unpredicted', 0])
  })

  it.each([
    ['an error of its own', answer(500, { detail: LEAK })],
    ['too many requests', answer(429, { detail: LEAK })],
    ['a lost answer', { kind: 'lost' }],
    ['half an answer', { kind: 'half' }],
    ['no answer', { kind: 'never' }],
    ['an answer that comes too late', { kind: 'late' }],
  ] as const satisfies readonly (readonly [string, PhalaFault])[])('%s passes, and nothing is started twice', async (_, fault) => {
    const { cloud, state, passed } = await trial({
      timeout: 300,
      faults: ({ faults }) => {
        for (const route of ['POST /cvms/provision', 'POST /cvms', 'GET /cvms/:id', 'GET /cvms/:id/state']) faults.add(route, fault, 2)
      },
    })
    expect([state, cloud.world.everStarted]).toEqual(['running', 1])
    expect(passed.length).toBeGreaterThan(5)
    for (const failure of passed)
      expect([failure.code, JSON.stringify(failure)]).toEqual([
        expect.stringMatching(/^target-(?:unreachable|failing)$/),
        expect.not.stringContaining(LEAK),
      ])
  })

  it('an answer that makes no sense, once something runs, is asked for again', async () => {
    const { state, cloud } = await trial({
      faults: ({ faults }) => {
        for (const route of ['POST /cvms', 'GET /cvms/:id', 'GET /cvms/:id/state', 'GET /cvms/:id/attestation'])
          faults.add(route, { kind: 'changed', change: () => ({ nothing: 'known' }) }, 2)
      },
    })
    expect([state, cloud.world.everStarted]).toEqual(['running', 1])
  })

  it('a guest of the app that runs something else is another’s, and is left alone', async () => {
    const cloud = await openCloud()
    const appId = cloud.world.nextAppIds(1)[0]?.app_id ?? ''
    const { signal } = new AbortController()
    const target = targetAt(cloud)
    const orderedAs = (appCompose: string, name = 'app-one') => {
      const bytes = Buffer.from(appCompose)
      return { order: DeployOrder.parse({ name, appId, appCompose: digestOf(bytes) }), appCompose: bytes, envNames: [] }
    }
    const [ours, theirs] = [orderedAs(MINIMAL), orderedAs(FULL)]
    const { offer } = await target.offer(ours, signal)
    const kept = cloud.world.provision({ name: 'app-one', compose: { docker_compose_file: FILE }, kms: 'PHALA', appId, instanceType: '' })
    await cloud.world.commit({ appId, provision: kept, encrypted: null })
    const taken = expect.objectContaining({ code: 'target-app-taken', retryable: false })
    await expect(target.find({ ordered: ours, offer }, signal)).rejects.toEqual(taken)
    await expect(target.commit({ ordered: ours, offer, environment: null }, signal)).rejects.toEqual(taken)
    await expect(target.find({ ordered: orderedAs(MINIMAL, 'app-two'), offer }, signal)).rejects.toEqual(taken)
    await expect(target.offer(theirs, signal)).rejects.toEqual(taken)
    expect([cloud.world.everStarted, cloud.asked('DELETE /cvms/:id')]).toEqual([1, []])
  })

  it('a guest of the app under another name is another’s', async () => {
    const { target, cloud } = await trial({})
    const [cvm] = cloud.world.cvms
    const appCompose = Buffer.from(MINIMAL)
    const ordered = { order: DeployOrder.parse({ name: 'app-two', appCompose: digestOf(appCompose) }), appCompose, envNames: [] }
    const { signal } = new AbortController()
    const offer = { ...(await target.offer(ordered, signal)).offer, appId: cvm?.appId ?? '' }
    await expect(target.find({ ordered, offer }, signal)).rejects.toMatchObject({ code: 'target-app-taken' })
  })

  it('an app id that a contract gives, and nothing is committed', async () => {
    const { why, cloud } = await trial({ order: { options: { kms: 'base' } } })
    expect([why, cloud.asked('POST /cvms')]).toEqual(['target-kms-on-chain', []])
  })

  it('a guest in its first moments, without a name of its own, is looked for again', async () => {
    const change = (body: Record<string, unknown>) => ({ ...body, vm_uuid: null })
    const { state, cloud } = await trial({
      faults: ({ faults }) => {
        faults.add('POST /cvms', { kind: 'changed', change }, 1)
        faults.add('GET /cvms/:id', { kind: 'changed', change }, 3)
      },
    })
    expect([state, cloud.world.everStarted]).toEqual(['running', 1])
  })

  it('no key to encrypt to, and nothing is sent', async () => {
    const change = (body: Record<string, unknown>) => ({ ...body, app_env_encrypt_pubkey: null })
    const { why, cloud } = await trial({
      appCompose: FULL,
      environment: ENVIRONMENT,
      faults: ({ faults }) => faults.add('POST /cvms/provision', { kind: 'changed', change }),
    })
    expect([why, cloud.world.everStarted]).toEqual(['target-environment-key-missing', 0])
  })

  it('environment of another name than was ordered with is not committed', async () => {
    const { target, cloud } = await trial({ denies: () => true })
    const appCompose = Buffer.from(MINIMAL)
    const ordered = { order: DeployOrder.parse({ name: 'app-one', appCompose: digestOf(appCompose) }), appCompose, envNames: [] }
    const { signal } = new AbortController()
    const { offer } = await target.offer(ordered, signal)
    const undeclared = { code: 'target-environment-undeclared' }
    await expect(target.commit({ ordered, offer, environment: ENVIRONMENT }, signal)).rejects.toMatchObject(undeclared)
    expect(cloud.world.everStarted).toBe(0)
  })

  it('environment that the app-compose does not allow is refused before anything is asked', async () => {
    const { why, cloud } = await trial({ environment: ENVIRONMENT })
    expect([why, cloud.requests]).toEqual(['target-environment-undeclared', []])
  })

  it('a guest that is gone has stopped, and stopping it is done', async () => {
    const { cloud, target } = await trial({})
    const guest = cloud.world.cvms[0]?.vmUuid.replaceAll('-', '') ?? ''
    const { signal } = new AbortController()
    await target.stop(guest, signal)
    await target.stop(guest, signal)
    expect([cloud.world.cvms, (await target.state(guest, signal)).status]).toEqual([[], 'stopped'])
  })
})

it('a key never goes where a redirect leads', async () => {
  const elsewhere = await openCloud()
  const to = (path: string) => answer(308, {}, { location: `${elsewhere.prefix}${path}` })
  const { why } = await trial({ faults: ({ faults }) => faults.add('POST /cvms/provision', to('/cvms/provision')) })
  expect([why, elsewhere.requests]).toEqual(['target-redirects', []])
})

it('a key never goes without TLS but on this machine', () => {
  const open = (prefix: string) => () => new PhalaCloud({ prefix: new URL(prefix), key: new Secret('x') })
  expect(open('http://cloud.example/api/v1')).toThrow(expect.objectContaining({ code: 'target-address-plain' }))
  expect(open('https://cloud.example/api/v1')()).toBeInstanceOf(PhalaCloud)
})
