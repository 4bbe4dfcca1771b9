import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { deploying } from './testing/deploying.ts'
import { closeClouds, ENVIRONMENT, FULL, MINIMAL, openCloud, targetAt, trial } from './testing/phala-trial.ts'

afterEach(closeClouds)

describe('a deployment at Phala Cloud', () => {
  it('is provisioned, judged by the very bytes, and committed with environment that the guest alone reads', async () => {
    const { cloud, state, asked, deployment } = await trial({ appCompose: FULL, environment: ENVIRONMENT })
    expect([state, asked.map(({ appCompose }) => appCompose)]).toEqual(['running', [FULL]])
    expect(cloud.world.cvms.map(({ environment }) => environment)).toEqual([[{ key: 'SECRET', value: ENVIRONMENT[0]?.value }]])
    expect(JSON.stringify([cloud.requests, deployment])).not.toContain('business')
    expect(cloud.world.cvms.map(({ provision }) => provision.appCompose)).toEqual([FULL])
  })

  it('is judged by what Phala Cloud makes of a smaller app-compose, its script included', async () => {
    const { cloud, state, asked } = await trial({})
    expect(asked.map(({ appCompose }) => appCompose)).toEqual(cloud.world.cvms.map(({ provision }) => provision.appCompose))
    expect([state, asked[0]?.appCompose.includes('of a stand-in')]).toEqual(['running', true])
  })

  it('says app id, OS image and device to the gate, and app, instance and gateway once it runs', async () => {
    const { cloud, deployment, asked } = await trial({})
    const [cvm] = cloud.world.cvms
    expect(asked[0]).toMatchObject({ appId: cvm?.appId, osImageHash: expect.stringMatching(/^[0-9a-f]{64}$/) })
    const seen = deployment.events.flatMap((event) => (event.kind === 'state' && event.state.status === 'running' ? [event.state] : []))
    expect(seen).toEqual([
      { status: 'running', appId: cvm?.appId, instanceId: cvm?.instanceId, gatewayDomain: 'stand-in.phala.test', gatewayPort: 443 },
    ])
  })

  it('commits nothing that the policy denies', async () => {
    const { cloud, state, why } = await trial({ denies: () => true, environment: ENVIRONMENT, appCompose: FULL })
    expect([state, why, cloud.world.everStarted, cloud.asked('POST /cvms').length]).toEqual(['denied', 'deployment-denied', 0, 0])
  })

  it('commits nothing whose bytes cannot be thought of', async () => {
    const { cloud, state, why, asked } = await trial({ world: { makes: (text) => text.replace('{', '{"salt":"1",') } })
    expect([state, why, asked, cloud.asked('POST /cvms').length]).toEqual(['denied', 'deployment-unpredicted', [], 0])
    expect((await trial({ scripts: [] })).why).toBe('deployment-unpredicted')
  })

  it('learns what Phala Cloud adds from what runs in the account already', async () => {
    const cloud = await openCloud({ makes: (text) => text.replace('{', '{"added_today":{"a":[2],"b":1},') })
    const target = targetAt(cloud, { scripts: [] })
    const order = { name: 'app-one', unpredicted: 'start-without-secrets' as const }
    expect((await deploying({ target, appCompose: MINIMAL, order })).deployment.events.map(({ kind }) => kind)).toContain('unpredicted')
    const second = await deploying({ target, appCompose: MINIMAL, order: { name: 'app-two' } })
    expect([second.state, second.asked.map(({ appCompose }) => appCompose)]).toEqual([
      'running',
      [cloud.world.cvms.at(-1)?.provision.appCompose],
    ])
    cloud.faults.add('GET /cvms/paginated', { kind: 'answer', status: 500 })
    expect(await deploying({ target, appCompose: MINIMAL, order: { name: 'app-three' } })).toMatchObject({ why: 'deployment-unpredicted' })
  })

  it('starts those without secrets by that option, and judges what they attest', async () => {
    const o = {
      world: { makes: (text: string) => text.replace('{', '{"salt":"1",') },
      order: { unpredicted: 'start-without-secrets' as const },
    }
    const allowed = await trial({ ...o, appCompose: FULL, environment: ENVIRONMENT })
    expect([allowed.state, allowed.cloud.world.cvms[0]?.environment]).toEqual(['running', []])
    expect(allowed.asked.map(({ appCompose }) => appCompose)).toEqual([allowed.cloud.world.cvms[0]?.provision.appCompose])
    const denied = await trial({ ...o, denies: () => true })
    expect([denied.state, denied.why, denied.cloud.world.cvms, denied.cloud.world.everStarted]).toEqual([
      'denied',
      'deployment-denied',
      [],
      1,
    ])
    const other = await trial({ ...o, world: { ...o.world, attests: () => FULL } })
    expect([other.state, other.why, other.cloud.world.cvms]).toEqual(['denied', 'deployment-compose-differs', []])
  })

  it('is stopped and deleted where it attests other bytes than those that were decided', async () => {
    const { cloud, state, why } = await trial({ appCompose: FULL, world: { attests: (text) => text.replace('app-one', 'app-two') } })
    expect([state, why, cloud.world.cvms, cloud.world.everStarted]).toEqual(['denied', 'deployment-compose-differs', [], 1])
    expect(cloud.asked('DELETE /cvms/:id')).toHaveLength(1)
  })

  it('ends where the guest does not boot', async () => {
    expect(await trial({ world: { becomes: 'boot-error' } })).toMatchObject({ state: 'failed', why: 'deployment-boot-failed' })
    expect(await trial({ world: { becomes: 'stopped' } })).toMatchObject({ state: 'failed', why: 'deployment-stopped' })
    const slow = await trial({ world: { becomes: 'starting' }, stepMs: 60_000 })
    expect(slow).toMatchObject({ state: 'failed', why: 'deployment-boot-time-limit' })
  })

  it('takes an app id that Phala Cloud gives next, and no other', async () => {
    const cloud = await openCloud()
    const appId = cloud.world.nextAppIds(5)[4]?.app_id ?? ''
    const target = targetAt(cloud)
    const run = async (name: string, id: string) => await deploying({ target, appCompose: MINIMAL, order: { name, appId: id } })
    expect(await run('app-one', appId)).toMatchObject({ state: 'running' })
    expect(cloud.world.cvms[0]?.appId).toBe(appId)
    expect(await run('app-two', appId)).toMatchObject({ why: 'target-app-taken' })
    expect(await run('app-two', 'cd'.repeat(20))).toMatchObject({ why: 'target-app-id-unavailable' })
    expect(cloud.world.everStarted).toBe(1)
  })
})

it('comes to one end wherever it is killed, with one CVM at the most, and none that was denied', async () => {
  const kills = fc.array(fc.nat(12), { maxLength: 5 }).map((steps) => new Set(steps))
  await fc.assert(
    fc.asyncProperty(kills, fc.boolean(), fc.boolean(), async (steps, salted, denied) => {
      const o = {
        ...(salted ? { world: { makes: (text: string) => text.replace('{', '{"salt":"1",') } } : {}),
        order: { unpredicted: 'start-without-secrets' as const },
        denies: () => denied,
      }
      const { cloud, state } = await trial({ ...o, kills: steps })
      expect(state).toBe(denied ? 'denied' : 'running')
      expect(cloud.world.everStarted).toBe(denied && !salted ? 0 : 1)
      expect(cloud.world.cvms.length).toBe(denied ? 0 : 1)
    }),
    { numRuns: 40 },
  )
})
