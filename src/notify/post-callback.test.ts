import { beforeAll, describe, expect, it } from 'vitest'
import type { ResolveAll } from '../../verifier/address/connect-only.ts'
import { type CallbackRules, postCallback } from './post-callback.ts'
import { type Certificate, certificateOf, RECEIVER_HOST, receive } from './testing/webhook-receiver.ts'

const never = new AbortController().signal
let certificate: Certificate
beforeAll(async () => {
  certificate = await certificateOf()
})

const leadsTo =
  (...addresses: readonly string[]): ResolveAll =>
  (_name, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

function rulesOf(change: Partial<CallbackRules> = {}): CallbackRules {
  return {
    timeoutMs: 20_000,
    userAgent: 'bitwitness/1.2.3',
    mayConnect: (address) => address === '127.0.0.1',
    resolve: leadsTo('127.0.0.1'),
    authorities: certificate.cert,
    ...change,
  }
}

const post = (url: string, change: Partial<CallbackRules> = {}): Promise<void> =>
  postCallback({ url, headers: { 'webhook-id': 'msg_1' }, body: '{"ä":1}' }, rulesOf(change), never)
const codeOf = async (work: Promise<void>): Promise<string> =>
  await work.then(
    () => 'taken',
    (error: { code: string; retryable: boolean }) => `${error.code}${error.retryable ? '' : ' for good'}`,
  )

describe('a callback', () => {
  it('is posted once, whole, with nothing that names us but what it is', async () => {
    await using receiver = await receive(certificate)
    await post(receiver.url)
    expect(receiver.requests).toEqual([
      {
        method: 'POST',
        path: '/told',
        body: '{"ä":1}',
        headers: {
          'content-length': '8',
          'content-type': 'application/json',
          'user-agent': 'bitwitness/1.2.3',
          'webhook-id': 'msg_1',
          connection: 'close',
          host: new URL(receiver.url).host,
        },
      },
    ])
  })

  it.each([
    [200, 'taken'],
    [299, 'taken'],
    [300, 'callback-redirected'],
    [304, 'callback-redirected'],
    [401, 'callback-refused'],
    [410, 'callback-gone for good'],
    [429, 'callback-refused'],
    [503, 'callback-failed'],
  ])('that is answered by %i is %s', async (status, code) => {
    await using receiver = await receive(certificate, (response) => void response.writeHead(status).end())
    expect(await codeOf(post(receiver.url))).toBe(code)
  })

  it('follows no redirect', async () => {
    await using other = await receive(certificate)
    await using receiver = await receive(certificate, (response) => void response.writeHead(307, { location: other.url }).end())
    expect(await codeOf(post(receiver.url))).toBe('callback-redirected')
    expect(other.requests).toEqual([])
  })

  it('reads no answer, however long it is', async () => {
    let closed = false
    await using receiver = await receive(certificate, (response) => {
      response.on('close', () => {
        closed = true
      })
      response.writeHead(200)
      const fill = (): void => {
        while (!closed && response.write('x'.repeat(1 << 16)));
      }
      response.on('drain', fill)
      fill()
    })
    await post(receiver.url)
    await using again = await receive(certificate, (response) => void response.writeHead(200, { long: 'x'.repeat(1 << 20) }).end())
    expect(await codeOf(post(again.url))).toBe('callback-failed')
  })

  it('waits no longer than it may', async () => {
    await using silent = await receive(certificate, () => {})
    expect(await codeOf(post(silent.url, { timeoutMs: 300 }))).toBe('callback-timeout')
    // Nor for a name server.
    expect(await codeOf(post(silent.url, { timeoutMs: 300, resolve: () => {} }))).toBe('callback-timeout')
  })

  it('is given up with the signal’s reason', async () => {
    const stop = new AbortController()
    const reason = new Error('over')
    await using receiver = await receive(certificate, () => stop.abort(reason))
    await expect(postCallback({ url: receiver.url, headers: {}, body: '' }, rulesOf(), stop.signal)).rejects.toBe(reason)
  })
})

describe('a callback URL', () => {
  it.each([
    'http://hook.test/told',
    'https://user@hook.test/told',
    'https://user:secret@hook.test/told',
    'file:///etc/passwd',
    'hook.test',
    '',
    `https://hook.test/${'x'.repeat(3000)}`,
  ])('is none where it is %j', async (url) => {
    expect(await codeOf(post(url))).toBe('callback-url-refused for good')
  })

  /** What may be connected to where nothing else is said. */
  const usual = (address: string): CallbackRules => {
    const { mayConnect: _, ...rules } = rulesOf({ resolve: leadsTo(address) })
    return rules
  }
  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:169.254.169.254',
  ])('leads to no host whose address is %s', async (address) => {
    const ask = (url: string) => codeOf(postCallback({ url, headers: {}, body: '' }, usual(address), never))
    expect(await ask('https://hook.test/told')).toBe('callback-host-private for good')
    expect(await ask(`https://${address.includes(':') ? `[${address}]` : address}/told`)).toBe('callback-host-private for good')
  })

  it.each(['https://2130706433/', 'https://0x7f.1/', 'https://017700000001/', 'https://localhost/', 'https://127.1/'])(
    'is not hidden by how it is written: %s',
    async (url) => {
      expect(await codeOf(postCallback({ url, headers: {}, body: '' }, usual('127.0.0.1'), never))).toBe('callback-host-private for good')
    },
  )

  it('is asked for its addresses once, and led to those, whatever is said a moment later', async () => {
    await using receiver = await receive(certificate)
    let asked = 0
    const rebinding: ResolveAll = (name, options, callback) => {
      asked += 1
      leadsTo(asked === 1 ? '127.0.0.1' : '127.0.0.2')(name, options, callback)
    }
    await post(receiver.url, { resolve: rebinding })
    expect([asked, receiver.requests.length]).toEqual([1, 1])
    // One address among several that may not be refuses the host.
    expect(await codeOf(post(receiver.url, { resolve: leadsTo('127.0.0.1', '127.0.0.2') }))).toBe('callback-host-private for good')
    expect(receiver.requests).toHaveLength(1)
  })

  it('is told nothing over a connection that anybody could have taken', async () => {
    await using receiver = await receive(await certificateOf('another.test'))
    expect(await codeOf(post(receiver.url))).toBe('callback-failed')
    await using own = await receive(await certificateOf(RECEIVER_HOST))
    expect(await codeOf(post(own.url))).toBe('callback-failed')
    expect([receiver.requests, own.requests]).toEqual([[], []])
  })
})
