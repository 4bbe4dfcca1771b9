import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../verifier/model/secret.ts'
import { endpointOf } from './endpoint.ts'
import type { Answer, Exchange } from './http-client.ts'
import { getManifest } from './manifests.ts'
import { RegistrySession } from './session.ts'
import { ACCOUNT, answer, type FakeOptions, FakeRegistry } from './testing/fake-registry.ts'
import { account, manifestOf, never, openSession, quickPace } from './testing/open.ts'

const manifest = manifestOf({ layers: [] })

async function withManifest(options: FakeOptions): Promise<FakeRegistry> {
  const fake = await FakeRegistry.start(options)
  fake.manifests.set(`sha256:${manifest.sha256}`, { mediaType: manifest.mediaType, bytes: Buffer.from(manifest.bytes) })
  return fake
}

const get = (session: RegistrySession) => getManifest(session, `sha256:${manifest.sha256}`, never)

/** Everything that could reach a log: the error, what it is made of, and the stack. */
async function shown(promise: Promise<unknown>): Promise<{ code: string; text: string }> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  const text = `${inspect(error, { depth: 20, showHidden: true })}${JSON.stringify(error)}${(error as Error).stack}`
  return { code: (error as { code?: string }).code ?? inspect(error), text }
}

describe('a registry that asks who is there', () => {
  it('by Bearer gets one token for all that is done, with what is needed as its scope, whatever scope it names', async () => {
    await using fake = await withManifest({ auth: 'bearer' })
    const session = openSession(fake.host, { credentials: account })
    expect((await get(session))?.sha256).toBe(manifest.sha256)
    expect((await get(session))?.sha256).toBe(manifest.sha256)
    expect(fake.asked).toEqual([
      {
        scopes: ['repository:owner/app:pull,push'],
        service: 'fake',
        authorization: `Basic ${Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')}`,
      },
    ])
    expect(fake.requests('GET', 'manifests').map(({ headers }) => headers.authorization?.slice(0, 20))).toEqual([
      undefined,
      'Bearer planted-token',
      'Bearer planted-token',
    ])
  })

  it('gets an anonymous token, and for a take-over a scope of the other repository too', async () => {
    await using fake = await withManifest({ auth: 'bearer' })
    await get(openSession(fake.host, { access: 'pull', mountFrom: 'owner/other' }))
    expect(fake.asked).toEqual([
      { scopes: ['repository:owner/app:pull', 'repository:owner/other:pull'], service: 'fake', authorization: undefined },
    ])
  })

  it('gets a token for an identity token, by POST', async () => {
    await using fake = await withManifest({ auth: 'bearer' })
    await get(openSession(fake.host, { credentials: { kind: 'identity-token', token: new Secret('planted-identity') } }))
    expect(fake.asked).toEqual([{ scopes: ['repository:owner/app:pull,push'], service: 'fake', authorization: 'planted-identity' }])
  })

  it('by Basic gets name and password, once it asks and not before', async () => {
    await using fake = await withManifest({ auth: 'basic' })
    await get(openSession(fake.host, { credentials: account }))
    expect(fake.requests('GET', 'manifests').map(({ headers }) => headers.authorization !== undefined)).toEqual([false, true])
  })

  it('gets a new token where the old one ended', async () => {
    await using fake = await withManifest({ auth: 'bearer' })
    const session = openSession(fake.host, { credentials: account })
    await get(session)
    fake.tokens.clear()
    expect((await get(session))?.sha256).toBe(manifest.sha256)
    expect(fake.asked).toHaveLength(2)
  })

  it('is not shown a token that has ended by our own clock', async () => {
    await using fake = await withManifest({ auth: 'bearer' })
    let now = 0
    const session = openSession(fake.host, { credentials: account, now: () => now })
    await get(session)
    now = 290_000
    await get(session)
    expect(fake.asked).toHaveLength(1)
    now = 300_000
    await get(session)
    expect(fake.asked).toHaveLength(2)
    expect(fake.requests('GET', 'manifests').map(({ headers }) => headers.authorization !== undefined)).toEqual([
      false,
      true,
      true,
      false,
      true,
    ])
  })

  it.each([
    ['bearer', null, 'registry-credentials-missing'],
    ['bearer', account, 'registry-denied'],
    ['basic', null, 'registry-credentials-missing'],
    ['basic', account, 'registry-denied'],
  ] as const)('again and again by %s is asked no third time', async (auth, credentials, code) => {
    await using fake = await withManifest({
      auth,
      intercept: (request, response, self) => {
        if (!request.url?.includes('manifests')) return false
        self.challenge(response)
        return true
      },
    })
    expect(await shown(get(openSession(fake.host, { credentials })))).toMatchObject({ code })
    expect(fake.requests('GET', 'manifests').length).toBeLessThanOrEqual(2)
  })
})

describe('a challenge that leads astray', () => {
  it.each([
    ['Bearer realm="http://169.254.169.254/token"', 'registry-challenge-refused'],
    ['Bearer realm="http://10.0.0.1/token"', 'registry-challenge-refused'],
    ['Bearer realm="https://user:password@auth.example/token"', 'registry-challenge-refused'],
    ['Bearer realm="file:///etc/passwd"', 'registry-challenge-refused'],
    ['Bearer service="x"', 'registry-challenge-refused'],
    ['Bearer realm="a",realm="b"', 'registry-answer-malformed'],
    ['Digest realm="x"', 'registry-answer-malformed'],
    ['', 'registry-answer-malformed'],
  ])('%j is not followed', async (header, code) => {
    await using fake = await withManifest({
      intercept: (request, response) => {
        if (!request.url?.includes('manifests')) return false
        response.writeHead(401, { 'www-authenticate': header }).end()
        return true
      },
    })
    expect(await shown(get(openSession(fake.host, { credentials: account })))).toMatchObject({ code })
    expect(fake.asked).toEqual([])
  })

  it('from a public registry reaches no private address, and from a private one may', async () => {
    const asked: Pick<Exchange, 'url' | 'reach'>[] = []
    const answering = (fromPublic: boolean) => ({
      exchange: (exchange: Exchange): Promise<Answer> => {
        asked.push({ url: exchange.url, reach: exchange.reach })
        const body = { destroy() {}, async *[Symbol.asyncIterator]() {} } as unknown as Answer['body']
        const challenge = { 'www-authenticate': 'Bearer realm="https://inside.example/token"' }
        if (exchange.url.pathname === '/token') return Promise.resolve({ status: 404, headers: {}, body, fromPublic })
        return Promise.resolve({ status: 401, headers: challenge, body, fromPublic })
      },
    })
    for (const fromPublic of [true, false]) {
      const session = new RegistrySession({
        endpoint: endpointOf('registry.example', []),
        repository: 'a/b',
        access: 'pull',
        mountFrom: null,
        http: answering(fromPublic),
        credentials: () => Promise.resolve(null),
        pace: quickPace(),
      })
      expect(await shown(get(session))).toMatchObject({ code: 'registry-token-refused' })
    }
    expect(asked.map(({ url, reach }) => `${url.host} ${reach}`)).toEqual([
      'registry.example any',
      'inside.example public',
      'registry.example any',
      'inside.example any',
    ])
  })
})

describe('a service of tokens', () => {
  const answering = (status: number, body: string | null, headers: Record<string, string> = {}): FakeOptions => ({
    auth: 'bearer',
    intercept: (request, response) => {
      if (!request.url?.startsWith('/token')) return false
      if (body !== null) return answer(response, status, headers, body)
      response.writeHead(status, headers)
      const more = (): void => void (response.write('x'.repeat(65536)) ? setImmediate(more) : response.once('drain', more))
      more()
      return true
    },
  })

  it.each([
    ['that refuses', 401, '{"details":"planted-token"}', 'registry-token-refused'],
    ['that redirects', 302, '', 'registry-token-refused'],
    ['that fails', 500, 'planted-token', 'registry-failing'],
    ['that gives none', 200, '{}', 'registry-answer-malformed'],
    ['that gives no JSON', 200, 'planted-token', 'registry-answer-malformed'],
    ['that gives a token with a line break', 200, '{"token":"planted-token\\r\\nX: y"}', 'registry-answer-malformed'],
    ['that never ends', 200, null, 'registry-answer-too-large'],
  ])('%s stops us, and nothing that it wrote is said', async (_, status, body, code) => {
    await using fake = await withManifest(answering(status, body, { location: 'http://192.0.2.1/' }))
    const { code: got, text } = await shown(get(openSession(fake.host, { credentials: account })))
    expect(got).toBe(code)
    expect(text).not.toMatch(/planted/)
  })

  it('may be busy for a while', async () => {
    let busy = 2
    const waited: number[] = []
    await using fake = await withManifest({
      auth: 'bearer',
      intercept: (request, response) => {
        if (!request.url?.startsWith('/token') || busy-- <= 0) return false
        response.writeHead(429, { 'retry-after': '3' }).end()
        return true
      },
    })
    expect((await get(openSession(fake.host, { credentials: account, waited })))?.sha256).toBe(manifest.sha256)
    expect(waited).toEqual([3000, 3000])
  })
})

describe('a redirect', () => {
  it('to another origin takes no credentials along, and none come back with it', async () => {
    await using store = await FakeRegistry.start({
      intercept: (_, response) => {
        response.writeHead(200, { 'content-type': manifest.mediaType }).end(manifest.bytes)
        return true
      },
    })
    await using fake = await withManifest({
      auth: 'bearer',
      intercept: (request, response, self) => {
        const known = self.tokens.has(request.headers.authorization?.replace('Bearer ', '') ?? '')
        if (!request.url?.includes('manifests') || !known) return false
        response.writeHead(307, { location: `http://${store.host}/kept?signature=1` }).end()
        return true
      },
    })
    expect((await get(openSession(fake.host, { credentials: account })))?.sha256).toBe(manifest.sha256)
    expect(store.seen.map(({ url, headers }) => [url, headers.authorization])).toEqual([['/kept?signature=1', undefined]])
  })

  it('in a circle ends', async () => {
    await using fake = await withManifest({
      intercept: (request, response) => {
        response.writeHead(302, { location: request.url ?? '' }).end()
        return true
      },
    })
    expect(await shown(get(openSession(fake.host)))).toMatchObject({ code: 'registry-redirect-refused' })
    expect(fake.requests('GET')).toHaveLength(6)
  })

  it.each(['http://192.0.2.1/x', 'file:///etc/passwd', 'https://a:b@host.example/', 'http://['])(
    'to %s is not followed',
    async (location) => {
      await using fake = await withManifest({
        intercept: (_, response) => {
          response.writeHead(302, { location }).end()
          return true
        },
      })
      expect(await shown(get(openSession(fake.host)))).toMatchObject({ code: 'registry-redirect-refused' })
    },
  )
})

describe('a registry that is not well', () => {
  it('is asked again, later each time, and then no more', async () => {
    const waited: number[] = []
    await using fake = await withManifest({
      intercept: (_, response) => {
        response.writeHead(502).end(`planted ${ACCOUNT.password}`)
        return true
      },
    })
    const { code, text } = await shown(get(openSession(fake.host, { waited })))
    expect([code, waited]).toEqual(['registry-failing', [500, 1000, 2000, 4000]])
    expect(text).not.toContain('planted')
  })

  it('that breaks off is asked again', async () => {
    let broken = 3
    await using fake = await withManifest({
      intercept: (request, response) => {
        if (broken-- <= 0) return false
        if (broken === 1) request.socket.destroy()
        else
          response.writeHead(200, { 'content-type': manifest.mediaType, 'content-length': 1000 }).write('{', () => request.socket.destroy())
        return true
      },
    })
    expect((await get(openSession(fake.host)))?.sha256).toBe(manifest.sha256)
  })

  it('is told from one that is not there', async () => {
    const fake = await FakeRegistry.start()
    const { host } = fake
    await fake[Symbol.asyncDispose]()
    expect(await shown(get(openSession(host)))).toMatchObject({ code: 'registry-unreachable' })
  })

  it('that speaks no HTTP is one', async () => {
    await using fake = await withManifest({
      intercept: (request) => {
        request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: planted-password\r\n\r\n')
        return true
      },
    })
    const { code, text } = await shown(get(openSession(fake.host)))
    expect(code).toBe('registry-answer-malformed')
    expect(text).not.toContain('planted')
  })
})
