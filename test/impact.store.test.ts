import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { stringify } from 'yaml'
import { DeployOrder } from '../src/app/deploy/deployment.ts'
import { KmsBootInfo } from '../src/app/gate/boot-info.ts'
import { PolicyImpact } from '../src/app/gate/policy-impact.ts'
import { APP_COMPOSE, BOOT, COMPOSE_HASH, digest, NAME } from '../src/app/gate/testing/passing.ts'
import { askedApps, Impacts, type RunningApp } from '../src/app/service/find-impact.ts'
import { GateDesk } from '../src/app/service/gate-desk.ts'
import type { StoredDeployment } from '../src/app/store/deployment-ports.ts'
import { ran } from '../src/cli/testing/terminal.ts'
import { ApiClient } from '../src/client/api-client.ts'
import { httpApp } from '../src/http/app.ts'
import type { HttpApp } from '../src/http/http-ports.ts'
import { Listening } from '../src/listening.ts'
import { Secret } from '../verifier/model/secret.ts'
import { ask, HttpService, newId } from './http-service.ts'
import { rebuiltImage, SERVICE_POLICY } from './rebuilt-image.ts'
import { databases } from './stores.ts'

const [ONE, TWO] = ['01'.repeat(20), '02'.repeat(20)]
const DAY_MS = 86_400_000
/** A policy has no aliases. */
const asYaml = (value: unknown): string => stringify(value, { aliasDuplicateObjects: false })

describe.each(databases())('what a policy would do, on %s', (kind) => {
  let service: HttpService
  let app: HttpApp
  let desk: GateDesk
  const listed = { images: [NAME], composes: [], admitters: ['local:alice'], devices: 'any' as const }
  const policy = { ...SERVICE_POLICY, apps: { [ONE]: listed, [TWO]: { ...listed, devices: [digest('3')] } } }

  const asked = async (info: object, name = 'production'): Promise<boolean> => {
    const found = await desk.policy(name)
    if (found === null || found === undefined) throw new Error('no policy')
    const { isAllowed } = await desk.ask('kms-app', found, KmsBootInfo.parse({ ...BOOT, ...info }))
    await desk.flush()
    return isAllowed
  }
  const impact = async (draft: object | string, { query = '', token = 'alice', on = app } = {}) =>
    await ask(on, `/v1/decisions/impact${query}`, {
      method: 'POST',
      token,
      headers: { 'content-type': 'application/octet-stream' },
      body: typeof draft === 'string' ? draft : asYaml(draft),
    })
  const found = async (draft: object, query = '') => {
    const { status, json } = await impact(draft, { query })
    expect(status).toBe(200)
    const { verdict, apps, complete } = PolicyImpact.parse(json)
    return {
      verdict,
      complete,
      apps: Object.fromEntries(apps.map((one) => [one.app, [one.before?.decision ?? null, one.after.decision, one.change, one.rules]])),
    }
  }

  beforeAll(async () => {
    service = await HttpService.open({ kind })
    for (const name of ['alice', 'mallory']) await service.caller(name, { scopes: ['submit', 'cancel', 'admit'] })
    await service.caller('submitter')
    app = service.app()
    desk = new GateDesk({ ...service.gatePorts, unitOfWork: service.store.unitOfWork })
    service.policyFiles.set('production', asYaml(policy)).set('broken', 'policy: [')
    service.policyFiles.set('observing', asYaml({ ...policy, name: 'observing', mode: 'observe' }))
    for (const id of [ONE, TWO]) {
      const headers = { 'content-type': 'application/octet-stream' }
      const admitted = { method: 'PUT', token: 'alice', headers, body: APP_COMPOSE }
      await ask(app, `/v1/apps/${id}/composes/${COMPOSE_HASH}`, admitted)
    }
    await rebuiltImage(service, 'alice')
    for (const id of [ONE, TWO]) await asked({ appId: id })
    service.clock.pass(1000)
    // What somebody makes up of a guest does not go before what was let in.
    await asked({ appId: ONE, osImageHash: digest('9') })
  })
  afterAll(async () => {
    await service[Symbol.asyncDispose]()
  })

  it('is nothing where it says the same', async () => {
    const same = { [ONE]: ['allow', 'allow', 'none', []], [TWO]: ['allow', 'allow', 'none', []] }
    expect(await found(policy)).toEqual({ verdict: 'harmless', complete: true, apps: same })
    expect(await found({ ...policy, osImages: { ...policy.osImages, [digest('9')]: { pinned: 'another' } } })).toMatchObject({
      verdict: 'harmless',
    })
  })

  it.each<[string, object, string, string[]]>([
    ['an app that it no longer lists', { apps: { [TWO]: policy.apps[TWO] } }, ONE, ['app-listed']],
    ['a guest image that it no longer lists', { osImages: { [digest('8')]: { pinned: 'another' } } }, ONE, ['os-image']],
    [
      'a machine that it no longer lists',
      { apps: { ...policy.apps, [TWO]: { ...listed, devices: [digest('4')] } } },
      TWO,
      ['device-admitted'],
    ],
    [
      'an owner whom it no longer names',
      { sources: { app: { ...policy.sources['app'], owners: ['local:bob'] } } },
      ONE,
      ['owner-admitted'],
    ],
    ['who may admit', { apps: { ...policy.apps, [ONE]: { ...listed, admitters: ['local:bob'] } } }, ONE, ['compose-admitted']],
    ['more attempts', { attestations: { ...policy.attestations, attempts: 9 } }, TWO, ['attempts-enough']],
  ])('is a deny for %s, and the rule that makes it', async (_, change, id, rules) => {
    const { verdict, apps } = await found({ ...policy, ...change })
    expect([verdict, apps[id]]).toEqual(['denies', ['allow', 'deny', 'denied', rules]])
  })

  it('is what enforcing denies of what was only observed, and the other way round', async () => {
    const strange = '03'.repeat(20)
    expect(await asked({ appId: ONE, osImageHash: digest('9') }, 'observing')).toBe(true)
    expect(await asked({ appId: strange }, 'observing')).toBe(true)
    const draft = { ...policy, name: 'observing' }
    expect(await found(draft)).toMatchObject({ verdict: 'denies', apps: { [ONE]: ['allow', 'deny', 'denied', ['os-image']] } })
    const looser = { ...policy, mode: 'observe', apps: { [TWO]: policy.apps[TWO] } }
    expect(await found(looser, '?replaces=production')).toMatchObject({ verdict: 'harmless' })
  })

  it('counts what is allowed again, and what nobody can follow now', async () => {
    service.policyFiles.set('production', asYaml({ ...policy, apps: { [TWO]: policy.apps[TWO] } }))
    expect(await found(policy)).toMatchObject({ verdict: 'harmless', apps: { [ONE]: ['deny', 'allow', 'allowed', ['app-listed']] } })
    service.policyFiles.set('production', 'policy: [')
    expect(await found(policy)).toMatchObject({ verdict: 'harmless', apps: { [ONE]: [null, 'allow', 'allowed', []] } })
    service.policyFiles.set('production', asYaml(policy))
  })

  it('is about what was asked lately, and about what else is said to run', async () => {
    const deployed: RunningApp[] = [{ appId: '04'.repeat(20), composeHash: COMPOSE_HASH, guest: null, lastAt: service.clock.now() }]
    const impacts = new Impacts({ ...service.gatePorts, running: [askedApps(service.store.reads), async () => deployed] })
    const on = httpApp({ ...service.httpPorts(), impacts })
    const both = PolicyImpact.parse((await impact(policy, { on })).json)
    expect(both.apps.map(({ app: id, guest }) => [id, guest === null])).toEqual(
      expect.arrayContaining([
        [ONE, false],
        [TWO, false],
        ['04'.repeat(20), true],
      ]),
    )
    service.clock.pass(2 * DAY_MS)
    expect(await found(policy, '?days=1')).toEqual({ verdict: 'harmless', complete: true, apps: {} })
    expect(Object.keys((await found(policy, '?days=3')).apps).toSorted()).toEqual([ONE, TWO])
  })

  it('is about what the service deployed by that policy, though nobody asked', async () => {
    const { owner } = await service.caller('deployer')
    const at = service.clock.now()
    const order = DeployOrder.parse({ name: 'production-app', appCompose: COMPOSE_HASH })
    const insert = async (appId: string, change: Partial<StoredDeployment> = {}) => {
      const ordered = { order, admit: false, events: [] }
      const made = {
        id: newId(),
        ownerId: owner.id,
        name: order.name,
        composeHash: COMPOSE_HASH,
        url: null,
        target: 'lab',
        withdrawnAt: null,
      }
      const deployment: StoredDeployment = {
        ...made,
        appId,
        state: 'running',
        policy: 'production',
        createdAt: at,
        updatedAt: at,
        ordered,
        ...change,
      }
      await service.store.unitOfWork.run(({ deployments }) => deployments.insert(deployment, null))
    }
    const [here, failed, elsewhere] = ['05', '06', '07'].map((byte) => byte.repeat(20))
    await insert(here ?? '')
    await insert(failed ?? '', { state: 'failed' })
    await insert(elsewhere ?? '', { policy: 'observing' })
    const listedHere = { ...policy, apps: { ...policy.apps, [here ?? '']: listed } }
    const { apps } = await found(listedHere)
    expect([apps[here ?? ''], apps[failed ?? ''], apps[elsewhere ?? '']]).toEqual([['deny', 'deny', 'none', []], undefined, undefined])
    await service.store.database.drizzle.execute(sql`update deployments set withdrawn_at = now()`)
    expect(Object.keys((await found(policy)).apps)).not.toContain(here)
  })

  it('says that it did not look at all of them', async () => {
    const many = Array.from(
      { length: 201 },
      (_, at): RunningApp => ({
        appId: at.toString(16).padStart(40, '0'),
        composeHash: COMPOSE_HASH,
        guest: null,
        lastAt: service.clock.now(),
      }),
    )
    const impacts = new Impacts({ ...service.gatePorts, running: [async () => many] })
    const { json } = await impact(policy, { on: httpApp({ ...service.httpPorts(), impacts }) })
    const { verdict, complete, apps } = PolicyImpact.parse(json)
    expect([verdict, complete, apps.length]).toEqual(['unknown', false, 200])
  })

  it('is asked by who may admit, one at a time, about a policy that is one, and keeps nothing', async () => {
    expect((await impact(policy, { token: 'submitter' })).json).toMatchObject({ code: 'scope-missing' })
    expect((await impact(policy, { token: 'nobody' })).status).toBe(401)
    expect((await impact(`${asYaml(policy)}allowAll: true\n`)).json).toMatchObject({ code: 'policy-draft-invalid', status: 422 })
    expect((await impact('x'.repeat(2 << 20))).status).toBe(413)
    expect((await impact(policy, { query: '?replaces=absent' })).status).toBe(404)
    expect((await impact(policy, { query: '?replaces=../production' })).status).toBe(400)
    const [first, second] = await Promise.all([impact(policy), impact(policy)])
    expect(new Set([first.status, second.status])).toEqual(new Set([200, 503]))
    expect((await ask(app, '/v1/policies')).json).toMatchObject({
      items: [{ name: 'broken' }, { name: 'observing' }, { name: 'production' }],
    })
  })

  it('is asked from the command line, which ends by it', async () => {
    const listening = await Listening.open({
      host: '127.0.0.1',
      port: 0,
      fetch: (request, env) => app.fetch(request, env),
      unreadable: () => Promise.reject(new Error('not of this test')),
      requestMs: 60_000,
      onError: () => {},
    })
    onTestFinished(() => listening.close(0))
    const client = async () => new ApiClient({ server: listening.url, token: async () => new Secret('alice') })
    const file = async (name: string, draft: object) => {
      const at = path.join(service.blobFolder, name)
      await writeFile(at, asYaml(draft))
      return at
    }
    const same = await file('same.yaml', policy)
    expect(await ran(['gate', 'impact', same, '--json'], {}, { client })).toMatchObject({ exit: 0, stderr: '' })
    const harsh = await file('harsh.yaml', { ...policy, osImages: { [digest('8')]: { pinned: 'another' } } })
    const { exit, stdout } = await ran(['gate', 'impact', harsh], {}, { client })
    expect(exit).toBe(1)
    expect(stdout).toContain(
      `allow → deny  app ${ONE}, compose hash ${COMPOSE_HASH}\n  guest image ${digest('d')}, machine ${digest('3')}\n  os-image  guest: `,
    )
    expect((await ran(['gate', 'impact', harsh, '--replaces', 'absent'], {}, { client })).exit).toBe(2)
    expect((await ran(['gate', 'impact', same, '--days', '0'], {}, { client })).exit).toBe(2)
    expect((await ran(['gate', 'impact', await file('broken.yaml', {})], {}, { client })).exit).toBe(3)
  })
})
