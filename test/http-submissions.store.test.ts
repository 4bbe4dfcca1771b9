import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Caller } from '../src/app/service/caller.ts'
import type { Worker } from '../src/app/store/records.ts'
import type { HttpApp } from '../src/http/http-ports.ts'
import { type Answer, ask, HttpService, newId } from './http-service.ts'
import { digestOf } from './stored.ts'

let service: HttpService
let app: HttpApp
let alice: Caller
let worker: Worker

beforeAll(async () => {
  service = await HttpService.open()
  app = service.app()
  alice = await service.caller('alice')
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
})

const CLAIM = { kind: 'file', name: null, sha256: digestOf('claimed'), location: null }
const GIT = { kind: 'git', url: 'https://git.example/app.git', commit: 'a'.repeat(40), path: '.' }
let made = 0
/** Never the same twice. */
const request = (change: Record<string, unknown> = {}) => {
  made += 1
  return { source: { ...GIT, commit: made.toString(16).padStart(40, '0') }, claims: [CLAIM], ...change }
}
const post = (body: unknown, o: { token?: string; key?: string; app?: HttpApp; headers?: Record<string, string> } = {}): Promise<Answer> =>
  ask(o.app ?? app, '/v1/verifications', {
    method: 'POST',
    token: o.token ?? 'alice',
    headers: { 'content-type': 'application/json', ...(o.key === undefined ? {} : { 'idempotency-key': o.key }), ...o.headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  })
const code = (answer: Answer): unknown => (answer.json as { code?: unknown } | undefined)?.code
const idOf = (answer: Answer): string => (answer.json as { verification: { id: string } }).verification.id
const count = async (owner: Caller): Promise<number> => await service.store.reads.verifications.openOf(owner.owner.id)

describe('a submission', () => {
  it('is accepted, and said where it is; before any worker is there that is said too', async () => {
    const sent = request({ attempts: 3, callback: 'https://example.org/hook', maxAge: 60 })
    const answer = await post(sent)
    const id = idOf(answer)
    expect([answer.status, answer.headers.get('location')]).toEqual([202, `/v1/verifications/${id}`])
    expect(answer.json).toMatchObject({
      verification: { state: 'accepted', source: sent.source, claims: null, attempts: 3, owner: { name: 'alice' } },
      joined: false,
      notice: 'no worker has asked for anything yet: this waits until one does',
    })
    const held = await service.store.unitOfWork.run(({ verifications }) => verifications.hold(id))
    expect(held?.submission).toEqual({
      ownerId: alice.owner.id,
      source: sent.source,
      upload: null,
      lock: null,
      inputs: null,
      builder: null,
      attempts: 3,
      maxAgeSeconds: 60,
      trusted: true,
      callbackUrl: 'https://example.org/hook',
    })
    expect(await service.store.unitOfWork.run(({ jobs }) => jobs.take('preparation'))).toMatchObject({ data: { verificationId: id } })
    worker = await service.worker('one', { lastSeenAt: service.clock.now() })
    expect((await post(request())).json).toMatchObject({ notice: null })
  })

  it('joins the same one of the same owner, and no other', async () => {
    const bob = await service.caller('bob')
    const sent = request()
    const first = await post(sent)
    const again = await post(sent)
    expect([idOf(again), again.status]).toEqual([idOf(first), 202])
    expect(again.json).toMatchObject({ joined: true })
    expect(idOf(await post(sent, { token: 'bob' }))).not.toBe(idOf(first))
    expect(await count(bob)).toBe(1)
    expect(idOf(await post({ ...sent, attempts: 3 }))).not.toBe(idOf(first))
  })

  it('with a key is answered like the first, and with another’s document not at all', async () => {
    const sent = request()
    const first = await post(sent, { key: 'release-1' })
    // However it is written, and although it could no longer be joined.
    await ask(app, `/v1/verifications/${idOf(first)}/cancel`, { method: 'POST', token: 'alice' })
    const { claims, source } = sent
    const again = await post(`{ "claims": ${JSON.stringify(claims)}, "source": ${JSON.stringify(source)}, "attempts": 2 }`, {
      key: 'release-1',
    })
    expect([idOf(again), again.json]).toMatchObject([idOf(first), { joined: true, verification: { state: 'cancelled' } }])
    const other = await post(request(), { key: 'release-1' })
    expect([other.status, code(other)]).toEqual([422, 'idempotency-key-reused'])
    service.clock.pass(25 * 3_600_000)
    expect(idOf(await post(sent, { key: 'release-1' }))).not.toBe(idOf(first))
    for (const key of ['', ' ', 'a b', 'é', 'k'.repeat(256)]) expect(code(await post(sent, { key }))).toBe('idempotency-key-malformed')
  })

  it('sent a hundred times at once is one', async () => {
    const carol = await service.caller('carol')
    const sent = request()
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => post(sent, { token: 'carol', key: `k${index % 3}` })))
    expect(new Set(answers.map(idOf)).size).toBe(1)
    expect(await count(carol)).toBe(1)
  })

  it('of a stranger waits for a worker that shares nothing with the service, or is refused where there is none', async () => {
    await service.caller('stranger', { trusted: false })
    const accepted = await post(request(), { token: 'stranger' })
    expect(accepted.status).toBe(202)
    const held = await service.store.unitOfWork.run(({ verifications }) => verifications.hold(idOf(accepted)))
    expect(held?.submission.trusted).toBe(false)
    await service.store.unitOfWork.run(({ workers }) => workers.revoke(worker.name, service.clock.now()))
    await service.worker('inside', { place: 'in-process', lastSeenAt: service.clock.now() })
    const refused = await post(request(), { token: 'stranger' })
    expect([refused.status, code(refused)]).toEqual([409, 'worker-none-for-strangers'])
    expect((await post(request())).status).toBe(202)
    worker = await service.worker('two', { lastSeenAt: service.clock.now() })
  })

  it('of a workflow is of its own repository', async () => {
    await service.caller('workflow', { trusted: true, repositories: ['https://git.example/app', 'https://git.example/app.git'] })
    expect((await post(request(), { token: 'workflow' })).status).toBe(202)
    const archive = { kind: 'archive', sha256: digestOf('a'), name: 'a.tar', path: '.' }
    for (const source of [{ ...GIT, url: 'https://git.example/app.git/' }, { ...GIT, url: 'https://git.example/other.git' }, archive]) {
      const answer = await post(request({ source }), { token: 'workflow' })
      expect([answer.status, code(answer)]).toEqual([403, 'repository-refused'])
    }
  })

  it('needs somebody, and a token that is good for it', async () => {
    await service.caller('reader', { scopes: ['cancel'] })
    const answer = await post(request(), { token: 'reader' })
    expect([answer.status, code(answer)]).toEqual([403, 'scope-missing'])
    const nobody = await ask(app, '/v1/verifications', { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })
    expect([nobody.status, code(nobody)]).toEqual([401, 'credentials-missing'])
  })

  it('is one of as many as may be open, unless it joins one of them', async () => {
    const dave = await service.caller('dave')
    const small = service.app({ submissions: { openPerOwner: 2 } })
    const [first, second] = [request(), request()]
    for (const sent of [first, second]) expect((await post(sent, { token: 'dave', app: small })).status).toBe(202)
    const third = await post(request(), { token: 'dave', app: small })
    expect([third.status, code(third), third.headers.get('retry-after')]).toEqual([429, 'verifications-open-limit', '60'])
    expect((await post(first, { token: 'dave', app: small })).json).toMatchObject({ joined: true })
    expect((await post(request(), { token: 'alice', app: small })).status).toBe(429)
    expect(await count(dave)).toBe(2)
  })

  it('comes no more often than its owner and its address may', async () => {
    await service.caller('eve')
    const slow = service.app({ limits: { writesOfOwner: { burst: 3, perMinute: 6 } } })
    const send = (token: string) => post(request(), { token, app: slow })
    const answers = []
    for (let index = 0; index < 5; index += 1) answers.push(await send('eve'))
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 429, 429])
    expect([code(answers[4] as Answer), answers[4]?.headers.get('retry-after')]).toEqual(['rate-limited', '10'])
    expect((await send('alice')).status).toBe(202)
    service.clock.pass(10_000)
    expect((await send('eve')).status).toBe(202)
    // Guesses cost their sender what submissions cost.
    const guarded = service.app({ limits: { writesOfAddress: { burst: 2, perMinute: 6 } } })
    const guesses = []
    for (let index = 0; index < 4; index += 1) guesses.push((await post(request(), { token: `guess ${index}`, app: guarded })).status)
    expect(guesses).toEqual([401, 401, 429, 429])
  })
})

describe('what a submission names', () => {
  it('is the owner’s own upload, and kept from then on', async () => {
    const bytes = await service.put('an archive')
    const source = { kind: 'archive', sha256: bytes.sha256, name: 'app.tar.zst', path: 'images/app' }
    const missing = await post(request({ source }))
    expect([missing.status, code(missing)]).toEqual([422, 'upload-unknown'])
    await service.caller('frank')
    const uploaded = await ask(app, '/v1/uploads', {
      method: 'POST',
      token: 'frank',
      headers: { 'content-type': 'application/octet-stream' },
      body: 'an archive',
    })
    expect(uploaded.status).toBe(201)
    expect(code(await post(request({ source })))).toBe('upload-unknown')
    const answer = await post(request({ source }), { token: 'frank' })
    expect(answer.json).toMatchObject({ verification: { source: { kind: 'archive', name: 'app.tar.zst', path: 'images/app' } } })
    service.clock.pass(48 * 3_600_000)
    expect(await service.store.unitOfWork.run(({ uploads }) => uploads.sweep(service.clock.now(), 10))).toEqual([])
    expect(await service.store.reads.blobs.of(idOf(answer))).toEqual([{ sha256: bytes.sha256, size: 10, role: 'upload' }])
    for (const field of ['lock', 'inputs']) expect(code(await post(request({ [field]: digestOf('nobody’s') })))).toBe('upload-unknown')
  })

  it('is there when it is accepted, or nothing is: a sweep comes before or after', async () => {
    const owner = await service.caller('grace')
    for (let round = 0; round < 10; round += 1) {
      const stored = await service.put(`swept ${round}`)
      await service.store.unitOfWork.run(({ uploads }) =>
        uploads.add({ ownerId: owner.owner.id, ...stored, createdAt: service.clock.now() }),
      )
      const later = service.clock.pass(1000)
      const source = { kind: 'archive', sha256: stored.sha256, name: 'a.tar', path: '.' }
      const [answer, swept] = await Promise.all([
        post(request({ source }), { token: 'grace' }),
        service.store.unitOfWork.run(({ uploads }) => uploads.sweep(later, 10)),
      ])
      expect(answer.status === 202).toBe(!swept.includes(stored.sha256))
    }
  })

  it('is a builder that is known', async () => {
    const answer = await post(request({ builder: digestOf('no builder') }))
    expect([answer.status, code(answer)]).toEqual([422, 'builder-unknown'])
    const part = await service.put('a description')
    const builder = {
      digest: digestOf('known'),
      description: part.sha256,
      architecture: 'amd64',
      mkosi: '25.3',
      addedAt: service.clock.now(),
    }
    await service.store.unitOfWork.run(({ builders }) => builders.add(builder, [part]))
    expect((await post(request({ builder: builder.digest }))).json).toMatchObject({ verification: { builder: builder.digest } })
  })

  it.each([
    ['file:///etc/passwd', 'source-protocol'],
    ['http://git.example/app.git', 'source-protocol'],
    ['ssh://git@git.example/app.git', 'source-url-userinfo'],
    ['git@git.example:app.git', 'source-url-malformed'],
    ['ext::sh -c touch%20x', 'source-protocol'],
    ['https://user:secret@git.example/app.git', 'source-url-userinfo'],
    ['https://git.example/app.git?a=b', 'source-url-malformed'],
    ['https://git.example/app.git#main', 'source-url-malformed'],
    ['https://git.example/../app.git', 'source-url-malformed'],
    ['https://git.example/a\\b.git', 'source-url-malformed'],
    ['--upload-pack=touch x', 'source-url-malformed'],
    ['https://127.0.0.1/app.git', 'source-host-private'],
    ['https://127.1/app.git', 'source-url-malformed'],
    ['https://0x7f.1/app.git', 'source-url-malformed'],
    ['https://2130706433/app.git', 'source-url-malformed'],
    ['https://[::1]/app.git', 'source-host-private'],
    ['https://[::ffff:127.0.0.1]/app.git', 'source-url-malformed'],
    ['https://[::ffff:7f00:1]/app.git', 'source-host-private'],
    ['https://169.254.169.254/latest.git', 'source-host-private'],
    ['https://10.0.0.1:8443/app.git', 'source-host-private'],
    ['https://localhost/app.git', 'source-host-private'],
    ['https://ｌocalhost/app.git', 'source-url-malformed'],
  ])('is no repository at %s', async (url, expected) => {
    const answer = await post(request({ source: { ...GIT, url } }))
    expect([answer.status, code(answer)]).toEqual([422, expected])
    expect(answer.text).not.toContain('secret')
  })

  it.each([
    ['--upload-pack=touch /tmp/x', 'source-ref-malformed'],
    ['-c', 'source-ref-malformed'],
    ['a..b', 'source-ref-malformed'],
    ['HEAD@{1}', 'source-ref-malformed'],
    ['refs/heads/x:refs/heads/y', 'source-ref-malformed'],
    ['a b', 'source-ref-malformed'],
    ['main\u202e', 'source-ref-malformed'],
  ])('is no commit %j', async (commit, expected) => {
    const answer = await post(request({ source: { ...GIT, commit } }))
    expect([answer.status, code(answer)]).toEqual([422, expected])
  })

  it.each(['..', '../..', '/etc', 'a//b', 'a/./b', './a', 'a/', 'a/../../b', 'a\u202eb', ''])('is no folder %j', async (folder) => {
    for (const source of [
      { ...GIT, path: folder },
      { kind: 'archive', sha256: digestOf('x'), name: 'a.tar', path: folder },
    ]) {
      const answer = await post(request({ source }))
      expect([answer.status, code(answer)]).toEqual([422, 'source-path-malformed'])
    }
  })

  it.each([
    'https://127.1/hook',
    'https://0x7f.1/hook',
    'https://[::1]/hook',
    'https://[::ffff:10.0.0.1]/hook',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost:9200/',
    'https://user:hunter2@example.org/hook',
    'https://user@example.org/hook',
  ])('is no callback %s', async (callback) => {
    const answer = await post(request({ callback }))
    expect([answer.status, code(answer)]).toEqual([422, 'callback-refused'])
    expect(answer.text).not.toContain('hunter2')
  })

  it.each(['http://example.org/hook', 'ftp://example.org', 'file:///etc/passwd', 'javascript:alert(1)', 'hook', ''])(
    'is no callback URL %j',
    async (callback) => {
      const answer = await post(request({ callback }))
      expect([answer.status, code(answer)]).toEqual([400, 'request-malformed'])
    },
  )

  it.each([
    '/etc/passwd',
    'file:///etc/passwd',
    './image.tar',
    'http://example.org/image.tar',
    'https://user:secret@example.org/image.tar',
    'https://169.254.169.254/image.tar',
    'https://[::1]/image.tar',
    'docker://127.0.0.1:5000/app',
    `localhost:5000/app@sha256:${'a'.repeat(64)}`,
    `docker://10.0.0.1/app@sha256:${'a'.repeat(64)}`,
    'docker://app:latest',
  ])('is claimed at no place like %s', async (location) => {
    const answer = await post(request({ claims: [{ ...CLAIM, location }] }))
    expect([answer.status, code(answer)]).toEqual([422, 'claim-location-refused'])
    expect(answer.text).not.toContain('secret')
  })

  it.each(['https://example.org/image.tar', `ghcr.io/app/app@sha256:${'a'.repeat(64)}`, `docker://app@sha256:${'a'.repeat(64)}`])(
    'may be claimed at %s',
    async (location) => {
      expect((await post(request({ claims: [{ ...CLAIM, location }] }))).status).toBe(202)
    },
  )

  it('is claimed once', async () => {
    const answer = await post(request({ claims: [CLAIM, { ...CLAIM, location: 'https://example.org/a' }] }))
    expect([answer.status, code(answer)]).toEqual([422, 'claim-twice'])
  })
})

describe('the document of a submission', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  const good = (): string => JSON.stringify(request())

  it.each<[string, () => string | Uint8Array, number, string]>([
    ['nothing', () => '', 400, 'json-malformed'],
    ['no JSON', () => '{"source":', 400, 'json-malformed'],
    ['an unclosed text', () => '{"a":"b', 400, 'json-malformed'],
    ['more than one document', () => '{} {}', 400, 'json-malformed'],
    ['a key twice', () => good().replace('{', '{"claims":[],'), 400, 'json-duplicate-key'],
    ['a key twice, once escaped', () => good().replace('{', '{"clai\\u006ds":[],'), 400, 'json-duplicate-key'],
    ['a prototype', () => '{"__proto__":{"scopes":[]}}', 400, 'json-malformed'],
    ['a byte order mark', () => `\ufeff${good()}`, 400, 'json-malformed'],
    ['half of a character', () => new Uint8Array([...bytes('{"a":"'), 0xc3, ...bytes('"}')]), 400, 'json-not-utf8'],
    ['an endless number', () => '{"attempts":1e999}', 400, 'json-number-inexact'],
    ['a number that a double has not', () => '{"attempts":9007199254740993}', 400, 'json-number-inexact'],
    ['depth', () => '['.repeat(100_000) + ']'.repeat(100_000), 400, 'json-too-deep'],
    ['a NUL', () => good().replace('"."', '"\\u0000"'), 400, 'text-malformed'],
    ['an escape', () => good().replace('"."', '"\\u001b[31m"'), 400, 'text-malformed'],
    ['half of a pair', () => good().replace('"."', '"\\ud800"'), 400, 'text-malformed'],
    ['a NUL as a key', () => '{"\\u0000":1}', 400, 'text-malformed'],
    ['size', () => `{"a":"${'x'.repeat(300 << 10)}"}`, 413, 'body-too-large'],
    ['a list', () => '[]', 400, 'request-malformed'],
    ['null', () => 'null', 400, 'request-malformed'],
    ['an unknown key', () => good().replace('{', '{"colour":"red",'), 400, 'request-malformed'],
    ['no claim', () => JSON.stringify(request({ claims: [] })), 400, 'request-malformed'],
    [
      'too many claims',
      () => JSON.stringify(request({ claims: Array.from({ length: 33 }, (_, n) => ({ ...CLAIM, name: `${n}` })) })),
      400,
      'request-malformed',
    ],
    ['a digest in capitals', () => JSON.stringify(request({ claims: [{ ...CLAIM, sha256: 'A'.repeat(64) }] })), 400, 'request-malformed'],
    ['ten attempts', () => JSON.stringify(request({ attempts: 10 })), 400, 'request-malformed'],
    ['half an attempt', () => JSON.stringify(request({ attempts: 1.5 })), 400, 'request-malformed'],
    ['a text for a number', () => JSON.stringify(request({ attempts: '2' })), 400, 'request-malformed'],
    ['another kind of source', () => JSON.stringify(request({ source: { kind: 'folder', folder: '/' } })), 400, 'request-malformed'],
    ['an owner', () => JSON.stringify(request({ ownerId: 'somebody' })), 400, 'request-malformed'],
  ])('holds not %s', async (_, body, status, expected) => {
    const answer = await post(body())
    expect([answer.status, code(answer)]).toEqual([status, expected])
  })

  it('names the place of what it cannot have, and repeats nothing of it', async () => {
    const answer = await post(request({ claims: [CLAIM, { ...CLAIM, sha256: '<b>', surprise: 1 }], attempts: 'secret' }))
    expect(answer.json).toMatchObject({
      detail:
        'body/claims/1/sha256 is not written as it must be; body/claims/1 has a key that is not known; body/attempts is missing, or of another type',
    })
    expect(answer.text).not.toMatch(/secret|surprise|<b>/)
  })

  it.each([
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json; charset=latin1',
    'application/vnd.a+json',
  ])('does not come as %s', async (type) => {
    const answer = await ask(app, '/v1/verifications', {
      method: 'POST',
      token: 'alice',
      body: bytes(good()),
      headers: type === undefined ? {} : { 'content-type': type },
    })
    expect([answer.status, code(answer)]).toEqual([415, 'content-type-refused'])
  })

  it('may say that it is UTF-8', async () => {
    expect((await post(good(), { headers: { 'content-type': 'application/json; charset=UTF-8' } })).status).toBe(202)
  })

  it('comes back as text, whatever stands in its fields', async () => {
    const name = '<script>alert(1)</script>\u202e\u2066'
    await service.caller('heidi')
    await ask(app, '/v1/uploads', { method: 'POST', token: 'heidi', headers: { 'content-type': 'application/octet-stream' }, body: 'x' })
    const sent = request({ source: { kind: 'archive', sha256: digestOf('x'), name, path: '<i>' }, claims: [{ ...CLAIM, name }] })
    const answer = await post(sent, { token: 'heidi' })
    expect(answer.json).toMatchObject({ verification: { source: { name, path: '<i>' } } })
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.text).not.toMatch(/[<>\u202e\u2066]/)
  })
})

describe('cancelling', () => {
  const cancel = (id: string, o: { token?: string; init?: RequestInit } = {}): Promise<Answer> =>
    ask(app, `/v1/verifications/${id}/cancel`, { method: 'POST', token: o.token ?? 'alice', ...o.init })

  it('is its owner’s, and again changes nothing', async () => {
    await service.caller('mallory')
    const id = idOf(await post(request()))
    const other = await cancel(id, { token: 'mallory' })
    expect([other.status, code(other)]).toEqual([403, 'verification-not-yours'])
    await service.caller('submitter', { scopes: ['submit'] })
    expect(code(await cancel(id, { token: 'submitter' }))).toBe('scope-missing')
    expect((await ask(app, `/v1/verifications/${id}`)).json).toMatchObject({ state: 'accepted' })
    for (const _again of [1, 2]) {
      const answer = await cancel(id)
      expect([answer.status, answer.json]).toMatchObject([200, { id, state: 'cancelled', verdict: null, claims: null }])
    }
  })

  it('comes too late for what is finished, and is not for what is not there', async () => {
    const id = await service.prepared(alice.owner.id, { attempts: 1 })
    await service.commit(worker)
    await service.decide(id)
    const late = await cancel(id)
    expect([late.status, code(late)]).toEqual([409, 'verification-over'])
    const absent = await cancel(newId())
    expect([absent.status, code(absent)]).toEqual([404, 'verification-unknown'])
    expect(code(await cancel('1'))).toBe('request-malformed')
  })

  it('takes no body, or an empty object', async () => {
    const id = idOf(await post(request()))
    for (const body of ['{"force":true}', '[]', 'x', ' '.repeat(100)]) {
      const answer = await cancel(id, { init: { body } })
      expect([answer.status, code(answer)]).toEqual([400, 'body-unexpected'])
    }
    expect((await cancel(id, { init: { body: ' {}\n' } })).status).toBe(200)
  })
})
