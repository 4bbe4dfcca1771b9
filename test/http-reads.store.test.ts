import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KnownView, pageOf } from '../src/app/service/api-documents.ts'
import type { Caller } from '../src/app/service/caller.ts'
import { cancelVerification } from '../src/app/service/end-verification.ts'
import type { Worker } from '../src/app/store/records.ts'
import { httpApp } from '../src/http/app.ts'
import type { HttpApp } from '../src/http/http-ports.ts'
import { Failure } from '../verifier/model/failure.ts'
import { ask, HttpService, newId } from './http-service.ts'
import { digestOf } from './stored.ts'

let service: HttpService
let app: HttpApp
let alice: Caller
let worker: Worker

beforeAll(async () => {
  service = await HttpService.open()
  app = service.app()
  alice = await service.caller('alice')
  worker = await service.worker('one')
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
})

const get = (target: string, headers: Record<string, string> = {}) => ask(app, target, { headers })
const code = (answer: { json: unknown }): unknown => (answer.json as { code?: unknown } | undefined)?.code
const log = (verificationId: string, attempt: number, ...lines: string[]) =>
  service.store.unitOfWork.run(({ events }) =>
    events.append(
      verificationId,
      lines.map((line) => ({ kind: 'log', attempt, at: service.clock.now().toISOString(), line }) as const),
    ),
  )
/** One that is finished, as `decision` says. */
const finished = async (o: { url?: string; decision?: Parameters<HttpService['decide']>[1]; owner?: Caller } = {}): Promise<string> => {
  const url = o.url ?? 'https://git.example/app.git'
  const source = { kind: 'git', url, commit: randomBytes(20).toString('hex'), path: '.' } as const
  const id = await service.prepared((o.owner ?? alice).owner.id, { source, attempts: 1 })
  await service.commit(worker)
  await service.decide(id, o.decision)
  return id
}

describe('a verification', () => {
  it('is shown whole, with where to go on from it', async () => {
    const id = await finished()
    const bundle = digestOf('bundle')
    await service.store.unitOfWork.run(async ({ attestations, blobs }) => {
      await blobs.refer({ sha256: bundle, size: 6, verificationId: id, role: 'bundle', at: service.clock.now() })
      await attestations.publish({
        id: newId(),
        verificationId: id,
        predicateType: 'p',
        bundle,
        signer: 'key',
        createdAt: service.clock.now(),
      })
      await attestations.plan({ verificationId: id, predicateType: 'q', at: service.clock.now() })
    })
    const answer = await get(`/v1/verifications/${id}`)
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({
      id,
      state: 'finished',
      verdict: 'reproduced',
      tier: 'bit-exact',
      attempts: 1,
      architecture: 'amd64',
      inputs: null,
      owner: { id: alice.owner.id, kind: 'local', name: 'alice' },
      claims: [{ kind: 'file', name: null, sha256: digestOf('claimed'), location: null }],
      report: digestOf('report'),
      attestations: [{ predicateType: 'p', bundle, links: { bundle: `/v1/blobs/${bundle}` } }],
      unsigned: [{ predicateType: 'q', tries: 0, lastCode: null }],
      links: {
        self: `/v1/verifications/${id}`,
        attempts: `/v1/verifications/${id}/attempts`,
        events: `/v1/verifications/${id}/events`,
        recipe: `/v1/verifications/${id}/recipe`,
        report: `/v1/blobs/${digestOf('report')}`,
        source: `/v1/blobs/${digestOf('source')}`,
      },
    })
    const [attestation] = (answer.json as { attestations: { id: string }[] }).attestations
    expect((await get(`/v1/attestations/${attestation?.id}`)).json).toEqual(attestation)
    expect((await get('/v1/attestations')).json).toMatchObject({ items: [attestation], next: null })
    expect((await get(`/v1/verifications/${id}/recipe`)).json).toMatchObject({ recipe: { distribution: 'debian' }, findings: [] })
  })

  it('is not sent again to who has it, and is once something is added', async () => {
    const id = await finished()
    const first = await get(`/v1/verifications/${id}`)
    const etag = first.headers.get('etag') ?? ''
    expect(etag).toMatch(/^"/)
    const again = await get(`/v1/verifications/${id}`, { 'if-none-match': etag })
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag])
    expect(again.headers.get('access-control-allow-origin')).toBe('*')
    await service.store.unitOfWork.run(({ attestations }) =>
      attestations.plan({ verificationId: id, predicateType: 'p', at: service.clock.now() }),
    )
    expect((await get(`/v1/verifications/${id}`, { 'if-none-match': etag })).status).toBe(200)
  })

  it('tells neither claims nor reports until no attempt is left that could echo them', async () => {
    const id = await service.prepared(alice.owner.id, { attempts: 2, lock: null })
    const attempt = await service.commit(worker, { log: digestOf('log of the first') })
    const before = await get(`/v1/verifications/${id}`)
    expect(before.json).toMatchObject({ state: 'running', claims: null, links: { source: null, report: null } })
    expect(before.text).not.toContain(digestOf('claimed'))
    expect((await get(`/v1/attempts/${attempt}`)).json).toMatchObject({ state: 'committed', outcome: 'built', report: null })
    expect((await get(`/v1/verifications/${id}/attempts`)).json).toMatchObject({
      items: [
        { number: 1, report: null },
        { number: 2, report: null },
      ],
    })
    const known = await get(`/v1/subjects/${digestOf('claimed')}`)
    expect(known.text).not.toContain(id)
    await service.commit(worker)
    expect((await get(`/v1/verifications/${id}`)).json).toMatchObject({ claims: [{ sha256: digestOf('claimed') }] })
    expect((await get(`/v1/attempts/${attempt}`)).json).toMatchObject({ report: { number: 1, outcome: 'built' } })
    expect((await get(`/v1/verifications?subject=${digestOf('claimed')}`)).text).toContain(id)
    // What is known of a digest is what was found out.
    expect((await get(`/v1/subjects/${digestOf('claimed')}`)).text).not.toContain(id)
    await service.decide(id)
    expect((await get(`/v1/subjects/${digestOf('claimed')}`)).text).toContain(id)
  })

  it('that was cancelled keeps them hidden', async () => {
    const id = await service.prepared(alice.owner.id, {
      attempts: 1,
      claims: [{ kind: 'file', name: null, sha256: digestOf('of cancelled'), location: null }],
    })
    await cancelVerification(service.ports, id)
    const answer = await get(`/v1/verifications/${id}`)
    expect(answer.json).toMatchObject({ state: 'cancelled', verdict: null, claims: null })
    expect((await get(`/v1/subjects/${digestOf('of cancelled')}`)).json).toEqual({ items: [], next: null })
  })

  it('that is not there is told from one that cannot be', async () => {
    const absent = await get(`/v1/verifications/${newId()}`)
    expect([absent.status, code(absent)]).toEqual([404, 'verification-unknown'])
    for (const target of [
      '/v1/verifications/1',
      `/v1/verifications/${'a'.repeat(5000)}`,
      '/v1/verifications/..%2f..%2fetc%2fpasswd',
      '/v1/verifications/%00',
    ]) {
      const answer = await get(target)
      expect([target, answer.status, code(answer)]).toEqual([target, 400, 'request-malformed'])
      expect(answer.text).not.toContain('passwd')
    }
    expect(code(await get(`/v1/verifications/${newId()}/recipe`))).toBe('verification-unknown')
    expect(code(await get(`/v1/verifications/${newId()}/attempts`))).toBe('verification-unknown')
    expect(code(await get(`/v1/attempts/${newId()}`))).toBe('attempt-unknown')
    expect(code(await get(`/v1/attempts/${newId()}/log`))).toBe('attempt-unknown')
    expect(code(await get(`/v1/attestations/${newId()}`))).toBe('attestation-unknown')
  })
})

describe('the list of verifications', () => {
  it('comes in pages, each of which names the next by the same filters', async () => {
    const url = 'https://git.example/pages.git'
    const ids: string[] = []
    for (let index = 0; index < 5; index += 1) ids.unshift(await finished({ url }))
    const seen: string[] = []
    let target = `/v1/verifications?source=${encodeURIComponent(url)}&limit=2`
    for (;;) {
      const answer = await get(target)
      const { items, next } = answer.json as { items: { id: string }[]; next: string | null }
      seen.push(...items.map(({ id }) => id))
      const link = /^<(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
      expect(link === undefined).toBe(next === null)
      if (link === undefined) break
      expect(new URL(link, 'http://localhost').searchParams.get('source')).toBe(url)
      target = link
    }
    expect(seen).toEqual(ids)
  })

  it('is filtered by verdict, digest, builder, owner and time', async () => {
    const bob = await service.caller('bob')
    const url = 'https://git.example/filters.git'
    const since = service.clock.pass(1000).toISOString()
    const [builder, digest] = [digestOf('builder of filters'), digestOf('built of filters')]
    const artifacts = [{ sha256: digest, kind: 'artifact' as const, name: 'image.tar' }]
    const mismatch = await finished({ url, owner: bob, decision: { verdict: 'mismatch', tier: null, builder, artifacts } })
    const reproduced = await finished({ url, decision: { artifacts } })
    const found = async (query: string): Promise<string[]> =>
      ((await get(`/v1/verifications?source=${encodeURIComponent(url)}&${query}`)).json as { items: { id: string }[] }).items.map(
        ({ id }) => id,
      )
    expect(await found('')).toEqual([reproduced, mismatch])
    expect(await found('verdict=mismatch')).toEqual([mismatch])
    expect(await found(`builder=${builder}`)).toEqual([mismatch])
    expect(await found(`subject=${digest}&owner=${bob.owner.id}`)).toEqual([mismatch])
    expect(await found(`since=${since}`)).toEqual([reproduced, mismatch])
    expect(await found(`since=${service.clock.now().toISOString()}`)).toEqual([])
    const known = async (query: string) =>
      ((await get(`/v1/subjects/${digest}?${query}`)).json as { items: { verification: { id: string }; subjects: unknown }[] }).items
    expect((await known('')).map(({ verification }) => verification.id)).toEqual([reproduced, mismatch])
    expect((await known(`owner=${bob.owner.id}`)).map(({ verification, subjects }) => [verification.id, subjects])).toEqual([
      [mismatch, [{ kind: 'artifact', name: 'image.tar' }]],
    ])
    expect(await known('source=https://git.example/other.git')).toEqual([])
    const again = await finished({ url, decision: { artifacts } })
    const [entry] = pageOf(KnownView).parse((await get(`/v1/subjects/${digest}?limit=1`)).json).items
    expect([entry?.verification.id, entry?.count]).toEqual([again, 1])
    const history = await get(entry?.links.history ?? '')
    expect([history.status, (history.json as { items: { id: string }[] }).items.map(({ id }) => id)]).toEqual([200, [again]])
    expect(code(await get(`/v1/subjects/${digest}/x`))).toBe('request-malformed')
  })

  it.each([
    ['verdict=yes', 'request-malformed'],
    ['verdict=mismatch&verdict=reproduced', 'request-malformed'],
    ['colour=red', 'request-malformed'],
    ['__proto__=1', 'request-malformed'],
    ['limit=0', 'request-malformed'],
    ['limit=1e2', 'request-malformed'],
    ['limit=201', 'page-limit'],
    ['cursor=rubbish', 'cursor-malformed'],
    [`cursor=${'A'.repeat(300)}`, 'request-malformed'],
    ['source=a%00b', 'request-malformed'],
    ['source=', 'request-malformed'],
    ['owner=alice', 'request-malformed'],
    ['since=yesterday', 'request-malformed'],
    ['since=2026-01-01', 'request-malformed'],
    ['since=0000-01-01T00:00:00Z', 'request-malformed'],
    [`cursor=${Buffer.from('[253402300800000,"a"]').toString('base64url')}`, 'cursor-malformed'],
    [`subject=${'A'.repeat(64)}`, 'request-malformed'],
  ])('refuses %s', async (query, expected) => {
    const answer = await get(`/v1/verifications?${query}`)
    expect([answer.status, code(answer)]).toEqual([400, expected])
  })

  it('is not read by a query that no route takes', async () => {
    for (const target of [`/v1/verifications/${newId()}?x=1`, '/v1/workers?x=1', '/v1/builders?x', `/v1/blobs/${digestOf('x')}?download`])
      expect(code(await get(target))).toBe('request-malformed')
  })
})

describe('the log of an attempt', () => {
  it('is what came so far while it runs, and the whole log once it is shown', async () => {
    const id = await service.prepared(alice.owner.id, { attempts: 2 })
    const whole = await service.put('first\n\u001b[31msecond\r\nand the end\n')
    const attempt = await service.commit(worker, { log: whole.sha256 })
    await log(id, 1, 'first', '\\x1b[31msecond')
    await log(id, 2, 'of another')
    const running = await get(`/v1/attempts/${attempt}/log`)
    expect([running.status, running.text]).toEqual([200, 'first\n\\x1b[31msecond\n'])
    expect(running.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(running.headers.get('x-content-type-options')).toBe('nosniff')
    await service.commit(worker)
    const shown = await get(`/v1/attempts/${attempt}/log`)
    expect([shown.status, shown.text]).toEqual([200, 'first\n\\x1b[31msecond\nand the end\n'])
  })

  it('is whole where it is longer than what is read at a time', async () => {
    const id = await service.prepared(alice.owner.id, { attempts: 2 })
    const attempt = await service.commit(worker)
    const lines = Array.from({ length: 2500 }, (_, index) => `line ${index}`)
    await log(id, 1, ...lines)
    expect((await get(`/v1/attempts/${attempt}/log`)).text).toBe(`${lines.join('\n')}\n`)
    await service.commit(worker)
    // Its blob is gone, or there never was one.
    expect((await get(`/v1/attempts/${attempt}/log`)).text.length).toBe(lines.join('\n').length + 1)
  })

  const follow = async (target: string): Promise<string[]> => {
    const { text, headers } = await get(target)
    const next = /^<([^>]*)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]
    return next === undefined ? [text] : [text, ...(await follow(next))]
  }

  it.each([
    ['long', 2500, (index: number) => `${index} ${'x'.repeat(1000)}`, 3],
    ['many', 10_500, (index: number) => (index % 2 === 0 ? '' : `${index}`), 2],
  ])('comes in parts while it runs, where its lines are %s', async (_, count, line, parts) => {
    const id = await service.prepared(alice.owner.id, { attempts: 2 })
    const whole = await service.put('all of it\n')
    const attempt = await service.commit(worker, { log: whole.sha256 })
    const lines = Array.from({ length: count }, (_line, index) => line(index))
    for (let from = 0; from < count; from += 1000) {
      await log(id, 1, ...lines.slice(from, from + 1000))
      await log(id, 2, 'of another')
    }
    const got = await follow(`/v1/attempts/${attempt}/log`)
    expect(got.length).toBe(parts)
    expect(got.join('') === `${lines.join('\n')}\n`).toBe(true)
    for (const part of got) expect(part.length).toBeLessThanOrEqual(1 << 20)
    // Whoever is between two parts when it ends hears the rest of the same.
    const { headers } = await get(`/v1/attempts/${attempt}/log`)
    const next = /^<([^>]*)>/.exec(headers.get('link') ?? '')?.[1] ?? ''
    await service.commit(worker)
    expect((await follow(next)).join('') === got.slice(1).join('')).toBe(true)
    expect((await get(`/v1/attempts/${attempt}/log`)).text).toBe('all of it\n')
    expect(code(await get(`/v1/attempts/${attempt}/log?after=x`))).toBe('request-malformed')
  })
})

describe('a blob', () => {
  it('is read once a verification shows it, whole or in part, and never as a page', async () => {
    const html = '<script>alert(1)</script>'
    const { sha256, size } = await service.put(html)
    expect(code(await get(`/v1/blobs/${sha256}`))).toBe('blob-unknown')
    await finished({ decision: { report: sha256, blobs: [{ sha256, size, role: 'report' }] } })
    const whole = await get(`/v1/blobs/${sha256}`)
    expect([whole.status, whole.text]).toEqual([200, html])
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="sha256-${sha256}"`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'content-length': String(size),
      etag: `"${sha256}"`,
    })
    const parts = await Promise.all(
      ['bytes=0-7', 'bytes=8-', 'bytes=-9', 'bytes=2-3,5-6', 'bytes=9-2', 'lines=1-2'].map((range) =>
        get(`/v1/blobs/${sha256}`, { range }),
      ),
    )
    expect(parts.map(({ status, text, headers }) => [status, text, headers.get('content-range')])).toEqual([
      [206, '<script>', `bytes 0-7/${size}`],
      [206, 'alert(1)</script>', `bytes 8-${size - 1}/${size}`],
      [206, '</script>', `bytes ${size - 9}-${size - 1}/${size}`],
      [200, html, null],
      [200, html, null],
      [200, html, null],
    ])
    const beyond = await get(`/v1/blobs/${sha256}`, { range: 'bytes=99-' })
    expect([beyond.status, code(beyond), beyond.headers.get('content-range')]).toEqual([416, 'range-unsatisfiable', `bytes */${size}`])
    expect((await get(`/v1/blobs/${sha256}`, { range: 'bytes=0-7', 'if-range': '"other"' })).status).toBe(200)
    expect((await get(`/v1/blobs/${sha256}`, { 'if-none-match': `"${sha256}"` })).status).toBe(304)
  })

  it('is not given out for what it was brought as, for an open verification, or for none', async () => {
    const [upload, lock, nobody] = await Promise.all(['upload', 'a lock', 'nobody'].map((text) => service.put(text)))
    if (upload === undefined || lock === undefined || nobody === undefined) throw new Error('not stored')
    const source = { kind: 'archive', name: 'a.tar', path: '.' } as const
    const id = await service.prepared(alice.owner.id, { source, upload: upload.sha256, lock: lock.sha256, attempts: 1 })
    const codes = async () => Promise.all([upload, lock, nobody].map(async ({ sha256 }) => code(await get(`/v1/blobs/${sha256}`))))
    expect(await codes()).toEqual(['blob-unknown', 'blob-unknown', 'blob-unknown'])
    await service.commit(worker)
    await service.decide(id)
    expect(await codes()).toEqual(['blob-unknown', undefined, 'blob-unknown'])
  })

  it('is given out where a lock that is shown names it, and where a builder is made of it', async () => {
    const [lock, input, part] = await Promise.all(['the lock', 'a package', 'a layer'].map((text) => service.put(text)))
    if (lock === undefined || input === undefined || part === undefined) throw new Error('not stored')
    const at = service.clock.now()
    await service.store.unitOfWork.run(async ({ blobs, builders, uploads }) => {
      await uploads.add({ ownerId: alice.owner.id, ...lock, createdAt: at })
      await blobs.lockInputs({ lock: lock.sha256, inputs: [input], at })
      await builders.add({ digest: digestOf('b'), description: part.sha256, architecture: 'amd64', mkosi: '25.3', addedAt: at }, [part])
    })
    expect(code(await get(`/v1/blobs/${input.sha256}`))).toBe('blob-unknown')
    await finished({
      decision: {
        blobs: [
          { sha256: digestOf('report'), size: 6, role: 'report' },
          { ...lock, role: 'lock' },
        ],
      },
    })
    expect((await get(`/v1/blobs/${input.sha256}`)).text).toBe('a package')
    expect((await get(`/v1/blobs/${part.sha256}`)).text).toBe('a layer')
    expect((await get('/v1/builders')).json).toEqual({
      items: [
        {
          digest: digestOf('b'),
          description: part.sha256,
          architecture: 'amd64',
          mkosi: '25.3',
          addedAt: at.toISOString(),
          links: { description: `/v1/blobs/${part.sha256}` },
        },
      ],
      next: null,
    })
  })
})

describe('whoever asks', () => {
  it('sees the workers', async () => {
    expect((await get('/v1/workers')).json).toMatchObject({
      items: [{ id: worker.id, name: 'one', place: 'remote', revokedAt: null }],
      next: null,
    })
  })

  it('is told who they are, and else that nobody knows', async () => {
    const answer = await ask(app, '/v1/owner', { token: 'alice' })
    expect(answer.json).toEqual({
      owner: { id: alice.owner.id, kind: 'local', name: 'alice', issuer: 'local', subject: 'alice' },
      scopes: ['submit', 'cancel'],
      repositories: null,
      trusted: true,
      webhookSecret: `whsec_${alice.owner.id}`,
    })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const nobody = await get('/v1/owner')
    expect([nobody.status, code(nobody), nobody.headers.get('www-authenticate')]).toEqual([401, 'credentials-missing', 'Bearer'])
    const wrong = await ask(app, '/v1/owner', { token: 'mallory' })
    expect([wrong.status, code(wrong)]).toEqual([401, 'token-invalid'])
  })

  it('is told a failure as RFC 9457 says, under an id of ours', async () => {
    const answer = await get(`/v1/verifications/${newId()}`, { 'x-request-id': 'mine' })
    const requestId = answer.headers.get('x-request-id')
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.json).toEqual({
      type: '/docs/errors#verification-unknown',
      title: 'verification unknown',
      status: 404,
      code: 'verification-unknown',
      detail: 'there is no such verification',
      hint: 'check its id',
      instance: `urn:uuid:${requestId}`,
    })
    expect(service.answers.at(-1)).toMatchObject({ requestId, method: 'GET', route: '/v1/verifications/:id', status: 404 })
  })

  it('is told where there is nothing, and which methods there are', async () => {
    for (const target of ['/', '/v1', '/v1/verifications/', '/v2/verifications', '//v1/verifications', '/v1/%2e%2e/x']) {
      const answer = await get(target)
      expect([target, answer.status, code(answer)]).toEqual([target, 404, 'route-unknown'])
    }
    expect(service.answers.at(-1)?.route).toBe('-')
    for (const method of ['DELETE', 'PUT', 'PATCH', 'POST', 'PROPFIND']) {
      const answer = await ask(app, '/v1/workers', { method })
      expect([method, answer.status, code(answer), answer.headers.get('allow')]).toEqual([
        method,
        405,
        'method-not-allowed',
        'GET, HEAD, OPTIONS',
      ])
    }
  })

  it('by HEAD is told what GET would, without a body', async () => {
    const { sha256, size } = await service.put('for head')
    await finished({ decision: { report: sha256, blobs: [{ sha256, size, role: 'report' }] } })
    const head = await ask(app, `/v1/blobs/${sha256}`, { method: 'HEAD' })
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', String(size)])
    expect((await ask(app, '/v1/verifications', { method: 'HEAD' })).status).toBe(200)
    expect((await ask(app, `/v1/verifications/${newId()}`, { method: 'HEAD' })).status).toBe(404)
  })

  it('from another page may read, and nothing else', async () => {
    const origin = 'https://elsewhere.example'
    expect((await get('/v1/workers', { origin })).headers.get('access-control-allow-origin')).toBe('*')
    const preflight = (method: string) =>
      ask(app, '/v1/workers', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': method } })
    const allowed = await preflight('GET')
    expect([allowed.status, allowed.headers.get('access-control-allow-methods')]).toEqual([204, 'GET,HEAD'])
    expect(allowed.headers.get('access-control-allow-headers')).not.toMatch(/authorization/i)
    const posted = await ask(app, '/v1/workers', { method: 'POST', headers: { origin } })
    expect(posted.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('finds text of strangers as text, and sees what would hide', async () => {
    const name = '<img src=x onerror=alert(1)>&\u202egnp.exe\u2066\u200b\ufeff'
    const claims = [{ kind: 'file', name, sha256: digestOf('hostile'), location: 'https://example.org/<b>' }] as const
    const mallory = await service.caller(name)
    const id = await service.prepared(mallory.owner.id, { attempts: 1, claims, source: { kind: 'archive', name, path: 'a<b>\u202e' } })
    await service.commit(worker)
    await service.decide(id, { reasons: [{ code: 'claim-unequal', message: name }] })
    for (const target of [`/v1/verifications/${id}`, '/v1/verifications?limit=1', `/v1/subjects/${digestOf('hostile')}`]) {
      const answer = await get(target)
      expect(answer.headers.get('content-type')).toBe('application/json')
      expect(answer.text).not.toMatch(/[<>&\u200b\u202e\u2066\ufeff]/)
      expect(answer.text).toContain('\\u003cimg src=x onerror=alert(1)\\u003e\\u0026\\u202egnp.exe\\u2066\\u200b\\ufeff')
    }
    const { json } = await get(`/v1/verifications/${id}`)
    expect(json).toMatchObject({ owner: { name }, source: { name, path: 'a<b>\u202e' }, claims: [{ name }], reasons: [{ message: name }] })
  })

  it('learns nothing of what is wrong here but an id', async () => {
    const secret = 'postgres://user:secret@host'
    const failing = (error: unknown) => {
      const ports = service.httpPorts()
      return ask(
        httpApp({ ...ports, reads: { ...ports.reads, workers: { ...ports.reads.workers, page: () => Promise.reject(error) } } }),
        '/v1/workers',
      )
    }
    const operators = { code: 'database-unreachable', message: secret, hint: secret, audience: 'operator' } as const
    service.troubles.length = 0
    const answers = [
      await failing(new Error(secret)),
      await failing(new Failure({ ...operators })),
      await failing(new Failure({ ...operators, retryable: true })),
      await failing(new Failure({ ...operators, code: 'of-no-table', audience: 'caller' })),
    ]
    expect(answers.map(({ status, json }) => [status, (json as { code: string }).code])).toEqual([
      [500, 'internal'],
      [500, 'internal'],
      [503, 'unavailable'],
      [500, 'internal'],
    ])
    for (const { text, headers } of answers) {
      expect(text).not.toContain('secret')
      expect(text).not.toContain('database')
      expect(text).toContain(headers.get('x-request-id'))
    }
    expect(answers[2]?.headers.get('retry-after')).toBe('10')
    expect(service.troubles).toMatchObject(answers.map(({ headers }) => ({ requestId: headers.get('x-request-id') })))
  })
})
