import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { TargetScript } from '../src/app/deploy/testing/scripted-target.ts'
import { APP_COMPOSE, APP_ID, COMPOSE_HASH, digest } from '../src/app/gate/testing/passing.ts'
import { DeploymentAnswer } from '../src/app/service/deployment-documents.ts'
import { deploymentWork, MOST_TRIES } from '../src/app/service/deployment-work.ts'
import { httpApp } from '../src/http/app.ts'
import type { HttpApp } from '../src/http/http-ports.ts'
import { Failure } from '../verifier/model/failure.ts'
import { ANNOUNCED, DeployingService, orderOf } from './deploying.ts'
import { ask, newId } from './http-service.ts'
import { hurry } from './queued.ts'
import { SERVICE_POLICY } from './rebuilt-image.ts'
import { digestOf } from './stored.ts'
import { databases } from './stores.ts'
import { workOff } from './worked-off.ts'

describe.each(databases())('deployments on %s', (kind) => {
  let service: DeployingService
  let app: HttpApp

  beforeAll(async () => {
    service = await DeployingService.open(kind)
    app = service.http.app()
  })
  afterAll(async () => {
    await service.http[Symbol.asyncDispose]()
  })

  const order = async (body: object = orderOf(), { token = 'alice', key = newId(), on = app } = {}) =>
    await ask(on, '/v1/deployments', {
      method: 'POST',
      token,
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    })
  const codeOf = ({ status, json }: { status: number; json: unknown }) => [status, (json as { code?: string }).code]
  const read = async (id: string) => DeploymentAnswer.parse((await ask(app, `/v1/deployments/${id}`)).json)
  const ordered = async (body: object = orderOf(), o: Parameters<typeof order>[1] = {}) => {
    const { status, json, headers } = await order(body, o)
    const answer = DeploymentAnswer.parse(json)
    expect([status, headers.get('location')]).toEqual([202, `/v1/deployments/${answer.id}`])
    return answer
  }
  /** Until nothing is left to do. */
  const work = async () => await workOff(service.http.store, 'deployment', deploymentWork(service.ports()))
  /** What becomes of an order. */
  const become = async (script: TargetScript = {}, body = orderOf()) => {
    const target = service.play(script)
    const { id } = await ordered(body)
    await work()
    const answer = await read(id)
    const last = answer.deployment?.events.at(-1)
    return { answer, target, code: last?.kind === 'ended' ? last.why.code : null }
  }

  it('are started once the policy allows them, and say all that happened', async () => {
    const before = await ordered()
    expect(before).toMatchObject({
      state: 'ordered',
      app: null,
      composeHash: COMPOSE_HASH,
      url: null,
      target: 'here',
      policy: 'production',
    })
    expect(await work()).toEqual(['again', 'again', 'again', 'again', 'again', 'again', 'done'])
    const { answer, target } = await become()
    expect(answer).toMatchObject({
      state: 'running',
      app: APP_ID,
      composeHash: COMPOSE_HASH,
      url: 'https://live.example/',
      name: 'app-one',
    })
    expect(answer.deployment).toMatchObject({ id: answer.id, state: 'running', order: { appCompose: COMPOSE_HASH } })
    const kinds = answer.deployment?.events.map((event) => event.kind)
    expect(kinds).toEqual(['offered', 'decided', 'committing', 'committed', 'state', 'state', 'attested', 'live'])
    const decided = answer.deployment?.events.find((event) => event.kind === 'decided')?.decision
    expect(decided).toMatchObject({ decision: 'allow', app: { id: APP_ID, composeHash: COMPOSE_HASH } })
    expect(decided?.rules.find(({ rule }) => rule === 'tcb')).toMatchObject({ result: 'skip' })
    expect([target.everStarted, target.guests[0]?.withEnvironment]).toEqual([1, false])
    expect(await ask(app, answer.links.compose ?? '')).toMatchObject({ status: 200, text: APP_COMPOSE })
    // What was ordered to be admitted is, by whoever ordered it.
    const { json } = await ask(app, `/v1/apps/${APP_ID}/composes`)
    expect(json).toMatchObject({ items: [{ composeHash: COMPOSE_HASH, admittedBy: { name: 'alice' } }] })
  })

  it.each([
    ['of another app', { appId: 'cd'.repeat(20) }, {}, 'denied', 'deployment-denied'],
    ['on a guest image that the policy does not list', { osImageHash: digest('e') }, {}, 'denied', 'deployment-denied'],
    ['whose bytes the target keeps to itself', { measures: Buffer.from(`${APP_COMPOSE} `) }, {}, 'denied', 'deployment-unpredicted'],
    [
      'that the target makes of it, and nobody admitted',
      { measures: Buffer.from(`${APP_COMPOSE} `), shows: true },
      {},
      'denied',
      'deployment-denied',
    ],
    ['under another app id than ordered', {}, { appId: 'cd'.repeat(20) }, 'failed', 'deployment-app-differs'],
  ] as const)('start nothing %s', async (_, script, change, state, code) => {
    const { answer, target, code: why } = await become(script, orderOf({}, change))
    expect([answer.state, why, target.everStarted]).toEqual([state, code, 0])
    // Of bytes that nobody showed there is nothing to link to, here or in the list.
    const { compose } = answer.links
    expect(compose === null).toBe(code === 'deployment-unpredicted')
    if (compose !== null) expect((await ask(app, compose)).status).toBe(200)
    const { json } = await ask(app, '/v1/deployments?limit=1')
    expect(json).toMatchObject({ items: [{ id: answer.id, links: { compose } }] })
  })

  it('are refused without an option that the target takes no order without', async () => {
    service.play({ needs: ['image'] })
    expect(codeOf(await order(orderOf()))).toEqual([422, 'target-option-unsaid'])
    expect((await order(orderOf({}, { options: { image: 'one' } }))).status).toBe(202)
    await work()
  })

  it('start nothing that nobody admits', async () => {
    const bytes = APP_COMPOSE.replace('"name":"app"', '"name":"other"')
    await service.upload(bytes)
    const quiet = await become({}, orderOf({ admit: false }, { appCompose: digestOf(bytes) }))
    expect([quiet.answer.state, quiet.target.everStarted]).toEqual(['denied', 0])
    const said = await become({}, orderOf({}, { appCompose: digestOf(bytes) }))
    expect([said.answer.state, said.target.everStarted]).toEqual(['running', 1])
  })

  it('start nothing by a policy that the target is not for, whatever it allows', async () => {
    service.http.policyFiles.set('lax', stringify({ ...SERVICE_POLICY, name: 'lax', mode: 'observe' }))
    const bytes = APP_COMPOSE.replace('"name":"app"', '"name":"unseen"')
    await service.upload(bytes)
    const target = service.play()
    expect(codeOf(await order(orderOf({ policy: 'lax' }, { appCompose: digestOf(bytes) })))).toEqual([403, 'target-policy-refused'])
    await work()
    expect(target.everStarted).toBe(0)
    // What was ordered before the operator narrowed the file is not decided by it any more.
    service.play({}, { policies: ['lax'] })
    const { id } = await ordered(orderOf({ policy: 'lax' }, { appCompose: digestOf(bytes) }))
    const narrowed = service.play()
    await work()
    const { state, deployment } = await read(id)
    expect([state, deployment?.events.at(-1), narrowed.everStarted]).toMatchObject([
      'failed',
      { why: { code: 'target-policy-refused' } },
      0,
    ])
  })

  it('stop what nobody had seen and the policy denies', async () => {
    const other = Buffer.from(`${APP_COMPOSE}\n`)
    const { answer, target, code } = await become({ measures: other }, orderOf({}, { unpredicted: 'start-without-secrets' }))
    expect([answer.state, code, target.everStarted, target.running]).toEqual(['denied', 'deployment-denied', 1, 0])
    expect(await ask(app, `/v1/deployments/${answer.id}/composes/${digestOf(other.toString())}`)).toMatchObject({ text: other.toString() })
    expect(codeOf(await ask(app, `/v1/deployments/${answer.id}/composes/${digest('0')}`))).toEqual([404, 'compose-unknown'])
  })

  it('are decided by the policy as it is when they are', async () => {
    service.play()
    const { id } = await ordered()
    const text = service.http.policyFiles.get('production') ?? ''
    service.http.policyFiles.delete('production')
    await work()
    service.http.policyFiles.set('production', text)
    const { state, deployment } = await read(id)
    expect([state, deployment?.events.at(-1)]).toMatchObject(['failed', { why: { code: 'policy-unknown' } }])
  })

  it('go on where the target was away, and are given up in the end', async () => {
    const away = { fails: new Set(Array.from({ length: 500 }, (_, call) => call)) }
    service.play(away)
    const { id } = await ordered()
    const once = deploymentWork(service.ports())
    const job = { id: newId(), data: { deploymentId: id } }
    const signal = new AbortController().signal
    await expect(once({ ...job, tries: MOST_TRIES - 1 }, signal)).rejects.toMatchObject({ code: 'target-unreachable' })
    // The queue gives it again, and the target has come back.
    service.play()
    await work()
    expect((await read(id)).state).toBe('running')
    service.play(away)
    const { id: other } = await ordered()
    await service.http.store.database.drizzle.execute(
      sql`update queue.job set retry_count = ${MOST_TRIES - 1} where name = 'deployment' and state = 'created'`,
    )
    expect(await work()).toEqual(['done'])
    const { state, deployment } = await read(other)
    expect([state, deployment?.events]).toMatchObject(['failed', [{ kind: 'ended', why: { code: 'deployment-given-up' } }]])
  })

  it('of a target that is not there any more wait for it', async () => {
    const { id } = await ordered()
    service.http.targets.delete('here')
    await expect(work()).rejects.toMatchObject({ code: 'target-absent', retryable: true })
    service.play()
    await service.http.store.database.drizzle.execute(sql`update queue.job set state = 'retry', start_after = now() where state = 'active'`)
    await hurry(service.http.store)
    await work()
    expect((await read(id)).state).toBe('running')
  })

  it('are answered alike where the same request is sent again, and one key is for one request', async () => {
    const key = newId()
    const first = await ordered(orderOf(), { key })
    const again = await ordered(orderOf(), { key })
    expect(again.id).toBe(first.id)
    await work()
    expect((await ordered(orderOf(), { key })).state).toBe('running')
    expect(codeOf(await order(orderOf({ admit: false }), { key }))).toEqual([422, 'idempotency-key-reused'])
    const both = await Promise.all([0, 1, 2].map(async () => await ordered(orderOf(), { key: `${key}-together` })))
    expect(new Set(both.map(({ id }) => id)).size).toBe(1)
    await work()
  })

  it.each([
    ['without a token for it', orderOf(), 'submitter', 403, 'scope-missing'],
    ['to a target of others', orderOf(), 'mallory', 403, 'target-not-yours'],
    ['to a target that is not there', orderOf({ target: 'there' }), 'alice', 422, 'target-unknown'],
    ['by a policy that is not there', orderOf({ policy: 'absent' }), 'alice', 404, 'policy-unknown'],
    ['of an app-compose that is not here', orderOf({}, { appCompose: digest('1') }), 'alice', 422, 'deployment-compose-unknown'],
    ['with secrets', { ...orderOf(), environment: { SECRET: 'x' } }, 'alice', 400, 'request-malformed'],
    ['under a name that no target takes', orderOf({}, { name: '-x' }), 'alice', 400, 'request-malformed'],
    ['with options that nobody knows', orderOf({}, { options: { colour: 'x' } }), 'alice', 400, 'request-malformed'],
    ['at an address of this machine', { ...ANNOUNCED, url: 'https://127.0.0.1/' }, 'alice', 422, 'gateway-url-malformed'],
    ['at a URL with a password', { ...ANNOUNCED, url: ANNOUNCED.url.replace('//', '//a:b@') }, 'alice', 422, 'gateway-url-malformed'],
    ['at a plain URL', { ...ANNOUNCED, url: ANNOUNCED.url.replace('https', 'http') }, 'alice', 422, 'gateway-url-malformed'],
    ['of no kind', { name: 'x' }, 'alice', 400, 'request-malformed'],
  ] as const)('are refused %s', async (_, body, token, status, code) => {
    expect(codeOf(await order(body, { token }))).toEqual([status, code])
  })

  it('are refused of bytes that somebody else uploaded, and of what is no app-compose', async () => {
    const bytes = APP_COMPOSE.replace('"name":"app"', '"name":"theirs"')
    await service.upload(bytes, 'mallory')
    expect(codeOf(await order(orderOf({}, { appCompose: digestOf(bytes) })))).toEqual([422, 'deployment-compose-unknown'])
    await service.upload('services: {}')
    expect(codeOf(await order(orderOf({}, { appCompose: digestOf('services: {}') })))).toEqual([422, 'compose-no-app'])
    const large = `${APP_COMPOSE}${' '.repeat(300_000)}`
    await service.upload(large)
    expect(codeOf(await order(orderOf({}, { appCompose: digestOf(large) })))).toEqual([413, 'compose-too-large'])
    expect(await work()).toEqual([])
  })

  it('are as many as an owner may have, and no more', async () => {
    const few = httpApp({ ...service.http.httpPorts(), deploymentsPerOwner: 0 })
    expect(codeOf(await order(orderOf(), { on: few }))).toEqual([429, 'deployments-limit'])
    expect(codeOf(await order(ANNOUNCED, { on: few }))).toEqual([429, 'deployments-limit'])
    expect(await work()).toEqual([])
  })

  it('that were made elsewhere are shown as announced, and withdrawn by who announced them', async () => {
    const { id, ...answer } = await ordered(ANNOUNCED, { token: 'mallory' })
    expect(answer).toMatchObject({ state: 'announced', app: APP_ID, url: ANNOUNCED.url, target: null, deployment: null })
    const withdraw = (token: string) => ask(app, `/v1/deployments/${id}/withdraw`, { method: 'POST', token })
    expect(codeOf(await withdraw('submitter'))).toEqual([403, 'scope-missing'])
    expect(codeOf(await withdraw('alice'))).toEqual([403, 'deployment-not-yours'])
    const first = await withdraw('mallory')
    service.http.clock.pass(1000)
    expect([first.status, (first.json as DeploymentAnswer).withdrawnAt]).toEqual([200, expect.any(String)])
    expect((await withdraw('mallory')).json).toEqual(first.json)
    const { id: open } = await ordered()
    expect(codeOf(await ask(app, `/v1/deployments/${open}/withdraw`, { method: 'POST', token: 'alice' }))).toEqual([
      409,
      'deployment-under-way',
    ])
    await work()
    expect((await ask(app, `/v1/deployments/${open}/withdraw`, { method: 'POST', token: 'alice' })).status).toBe(200)
    expect(codeOf(await ask(app, `/v1/deployments/${newId()}/withdraw`, { method: 'POST', token: 'alice' }))).toEqual([
      404,
      'deployment-unknown',
    ])
  })

  it('are listed newest first, by app, owner and state, and each is sent once to whoever follows it', async () => {
    const { owner } = service.http.callers.get('Bearer mallory') ?? {}
    const list = async (query: string) =>
      (await ask(app, `/v1/deployments?${query}`)).json as { items: { id: string; state: string }[]; next: string | null }
    const all = await list('limit=200')
    expect(all.items.length).toBeGreaterThan(10)
    const pages = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Awaited<ReturnType<typeof list>> = await list(`limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`)
      pages.push(...page.items)
      cursor = page.next
    }
    expect(pages).toEqual(all.items)
    expect((await list(`owner=${owner?.id}`)).items.map(({ state }) => state)).toEqual(['announced'])
    expect(new Set((await list('state=denied')).items.map(({ state }) => state))).toEqual(new Set(['denied']))
    expect((await list(`app=${'cd'.repeat(20)}`)).items.length).toBeGreaterThan(0)
    expect((await list(`app=${'0'.repeat(40)}`)).items).toEqual([])
    const [one] = all.items
    const answer = await ask(app, `/v1/deployments/${one?.id}`)
    const again = await ask(app, `/v1/deployments/${one?.id}`, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } })
    expect([answer.status, again.status]).toEqual([200, 304])
    expect((await ask(app, '/v1/targets')).json).toEqual({ items: [{ name: 'here', kind: 'dstack-vmm', policies: ['production'] }] })
  })

  it('cannot be changed in the database once they are over', async () => {
    const { answer } = await become()
    const { deployments } = service.http.store.reads
    const stored = await deployments.read(answer.id)
    if (stored === undefined) throw new Error('it is gone')
    const changed = service.http.store.unitOfWork.run((unit) => unit.deployments.save({ ...stored, state: 'denied' }))
    await expect(changed).rejects.toBeInstanceOf(Failure)
    expect((await deployments.read(answer.id))?.state).toBe('running')
  })
})
