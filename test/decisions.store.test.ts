import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { Decision } from '../src/app/gate/decision.ts'
import { APP_COMPOSE, APP_ID, BOOT, COMPOSE_HASH, digest, MANIFEST, NAME } from '../src/app/gate/testing/passing.ts'
import { OpenGate } from '../src/app/service/open-gate.ts'
import { httpApp } from '../src/http/app.ts'
import type { HttpApp } from '../src/http/http-ports.ts'
import { ask, HttpService } from './http-service.ts'
import { rebuiltImage, SERVICE_POLICY } from './rebuilt-image.ts'
import { digestOf } from './stored.ts'
import { databases } from './stores.ts'

describe.each(databases())('policies and decisions by the API, on %s', (kind) => {
  let service: HttpService
  let app: HttpApp
  const text = stringify(SERVICE_POLICY)

  const decide = async (body: object | string, on = app) =>
    await ask(on, '/v1/decisions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const decided = async (body: object) => {
    const { status, json } = await decide({ policy: 'production', ...body })
    expect(status).toBe(200)
    const { decision, judged, mode, rules } = Decision.parse(json)
    return { decision, judged, mode, failed: rules.flatMap(({ rule, result }) => (result === 'fail' ? [rule] : [])) }
  }
  const APP = { app: { id: APP_ID, composeHash: COMPOSE_HASH } }
  const ALLOWED = { decision: 'allow', judged: 'allow', mode: 'enforce', failed: [] }

  beforeAll(async () => {
    service = await HttpService.open({ kind })
    await service.caller('alice', { scopes: ['submit', 'cancel', 'admit'] })
    app = service.app()
    service.policyFiles.set('production', text).set('broken', 'secret: [')
    service.policyFiles.set('observing', stringify({ ...SERVICE_POLICY, mode: 'observe' }))
  })
  afterAll(async () => {
    await service[Symbol.asyncDispose]()
  })

  it('lists policies as they are now, and those that cannot be followed as such', async () => {
    const { json } = await ask(app, '/v1/policies')
    expect(json).toEqual({
      items: [
        {
          name: 'broken',
          title: null,
          sha256: digestOf('secret: ['),
          followed: false,
          mode: null,
          links: { self: '/v1/policies/broken', bytes: null },
        },
        expect.objectContaining({ name: 'observing', title: 'production', mode: 'observe' }),
        {
          name: 'production',
          title: 'production',
          sha256: digestOf(text),
          followed: true,
          mode: 'enforce',
          links: { self: '/v1/policies/production', bytes: '/v1/policies/production/bytes' },
        },
      ],
    })
    expect(await ask(app, '/v1/policies/production/bytes')).toMatchObject({ status: 200, text })
    expect((await ask(app, '/v1/policies/broken')).json).toMatchObject({ followed: false })
    const hidden = await ask(app, '/v1/policies/broken/bytes')
    expect([hidden.status, hidden.text.includes('secret')]).toEqual([409, false])
    service.policyFiles.set('coming', text)
    expect((await ask(app, '/v1/policies/coming')).json).toMatchObject({ sha256: digestOf(text) })
    service.policyFiles.set('coming', `${text}# more\n`)
    expect((await ask(app, '/v1/policies/coming')).json).toMatchObject({ sha256: digestOf(`${text}# more\n`) })
    service.policyFiles.delete('coming')
    expect((await ask(app, '/v1/policies/coming')).status).toBe(404)
  })

  it('decides about an app by what was admitted and rebuilt, before anything starts', async () => {
    expect(await decided(APP)).toEqual({
      ...ALLOWED,
      decision: 'deny',
      judged: 'deny',
      failed: ['compose-admitted', 'compose-known', 'image-pinned'],
    })
    const admitted = await ask(app, `/v1/apps/${APP_ID}/composes/${COMPOSE_HASH}`, {
      method: 'PUT',
      token: 'alice',
      headers: { 'content-type': 'application/octet-stream' },
      body: APP_COMPOSE,
    })
    expect(admitted.status).toBe(201)
    expect(await decided(APP)).toMatchObject({ decision: 'deny', failed: ['attested'] })
    await rebuiltImage(service, 'alice')
    expect(await decided(APP)).toEqual(ALLOWED)
    expect(await decided({ app: { ...APP.app, id: 'cd'.repeat(20) } })).toMatchObject({
      decision: 'deny',
      failed: expect.arrayContaining(['app-listed']),
    })
  })

  it('decides about an image, and about a guest by what its KMS would say', async () => {
    expect(await decided({ image: `${NAME}:latest@sha256:${MANIFEST}` })).toEqual(ALLOWED)
    expect(await decided({ image: `${NAME}@sha256:${digest('1')}` })).toMatchObject({ decision: 'deny', failed: ['attested'] })
    expect(await decided({ image: `evil.example/acme/app@sha256:${MANIFEST}` })).toMatchObject({
      decision: 'deny',
      failed: ['image-listed'],
    })
    expect(await decided({ guest: BOOT })).toEqual(ALLOWED)
    expect(await decided({ guest: { ...BOOT, osImageHash: digest('8'), tcbStatus: 'OutOfDate' } })).toMatchObject({
      decision: 'deny',
      failed: ['os-image', 'tcb'],
    })
  })

  it('says what a policy that only observes would deny', async () => {
    const { json } = await decide({ policy: 'observing', image: `${NAME}@sha256:${digest('1')}` })
    expect(json).toMatchObject({ decision: 'allow', judged: 'deny', mode: 'observe' })
  })

  it('exports what is allowed now', async () => {
    const { status, json } = await ask(app, '/v1/policies/production/auth-simple')
    expect([status, json]).toEqual([
      200,
      {
        osImages: [`0x${digest('d')}`],
        allowedTcbStatuses: ['UpToDate'],
        allowedAdvisoryIds: [],
        gatewayAppId: '',
        kms: { mrAggregated: [], devices: [], allowAnyDevice: false },
        apps: { [`0x${APP_ID}`]: { composeHashes: [`0x${COMPOSE_HASH}`], devices: [], allowAnyDevice: true } },
      },
    ])
    service.policyFiles.set(
      'narrow',
      stringify({ ...SERVICE_POLICY, sources: { app: { ...SERVICE_POLICY.sources['app'], owners: ['local:bob'] } } }),
    )
    expect((await ask(app, '/v1/policies/narrow/auth-simple')).json).toMatchObject({ apps: {} })
    service.policyFiles.set('narrow', stringify({ ...SERVICE_POLICY, osImages: {} }))
    expect((await ask(app, '/v1/policies/narrow/auth-simple')).json).toMatchObject({ code: 'export-no-guest' })
    service.policyFiles.delete('narrow')
  })

  it('keeps nothing of what was asked', async () => {
    expect((await ask(app, `/v1/apps/${APP_ID}/decisions`)).json).toEqual({ items: [] })
  })

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['a list', []],
    ['two questions', { policy: 'production', ...APP, image: `${NAME}@sha256:${MANIFEST}` }],
    ['an app of 31 bytes', { policy: 'production', app: { id: APP_ID, composeHash: COMPOSE_HASH.slice(2) } }],
    ['an app in capitals', { policy: 'production', app: { id: APP_ID.toUpperCase(), composeHash: COMPOSE_HASH } }],
    ['a path for a policy', { policy: '../production', ...APP }],
    ['facts of its own', { policy: 'production', ...APP, attestations: [] }],
  ])('answers %s with 400', async (_, body) => {
    expect((await decide(JSON.stringify(body))).status).toBe(400)
  })

  it('turns away who comes beyond what it answers at once, and who waits too long', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const gate = new OpenGate({ ...service.gatePorts, trustedRoot: () => promise.then(() => service.gatePorts.trustedRoot()) })
    const busy = httpApp({ ...service.httpPorts(), openGate: gate })
    const waiting = Array.from({ length: 8 }, () => decide({ policy: 'production', ...APP }, busy))
    const beyond = await decide({ policy: 'production', ...APP }, busy)
    expect([beyond.status, beyond.headers.get('retry-after'), (beyond.json as { code: string }).code]).toEqual([503, '2', 'gate-busy'])
    resolve()
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
    expect((await decide({ policy: 'production', ...APP }, busy)).status).toBe(200)
  })
})
