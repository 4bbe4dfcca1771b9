import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GuestFault, type StandInGateway, startStandInGateway } from '../../test/stand-ins/guest-agent.ts'
import { parseGatewayUrl } from '../app/deploy/gateway-url.ts'
import type { GuestQuestion } from '../app/inspect/inspect-ports.ts'
import { type GuestDoorOptions, openGuestDoor } from './guest-door.ts'

const APP = 'ab'.repeat(20)
const before = getCACertificates('default')
let gateway: StandInGateway
beforeAll(async () => {
  gateway = await startStandInGateway()
})
afterAll(async () => {
  setDefaultCACertificates(before)
  await gateway[Symbol.asyncDispose]()
})

type Asked = Partial<GuestDoorOptions> &
  Partial<Omit<GuestQuestion, 'url'>> & { readonly url?: string; readonly fault?: GuestFault; readonly trusting?: boolean }

async function ask(
  { fault, trusting = true, url, path = '/', json, maxBytes = 1000, ...o }: Asked = {},
  signal = new AbortController().signal,
) {
  setDefaultCACertificates(trusting ? [...before, gateway.authority] : before)
  gateway.start({ appId: APP, appCompose: '{}', osImageHash: 'd'.repeat(64), faults: new Set(fault === undefined ? [] : [fault]) })
  const gateways = [{ domain: gateway.base, connect: { host: '127.0.0.1', port: gateway.port } }]
  const question = { url: parseGatewayUrl(url ?? gateway.url(APP)), path, maxBytes, ...(json === undefined ? {} : { json }) }
  return await openGuestDoor({ gateways, ...o }).ask(question, signal)
}

describe('asking a guest through its gateway', () => {
  it('gives what it answers, and the certificate that it answered with', async () => {
    const answer = await ask()
    expect(answer).toMatchObject({ status: 200, body: Buffer.from('an app'), certificate: { trusted: true, quote: null } })
    expect(await ask({ path: '/absent' })).toMatchObject({ status: 404 })
    const posted = await ask({
      url: gateway.url(APP, { port: 8090 }),
      path: '/prpc/GetAttestationForAppKey?json',
      json: {},
      maxBytes: 1 << 20,
    })
    expect(posted.status).toBe(200)
  })

  it('follows no redirect', async () => {
    expect(await ask({ fault: 'redirects' })).toMatchObject({ status: 302 })
  })

  it.each<[GuestFault, string]>([
    ['huge-answers', 'too-large'],
    ['half-answers', 'cut-short'],
  ])('takes no part of an answer for the whole: %s', async (fault, why) => {
    expect(await ask({ fault })).toMatchObject({ status: null, why })
    expect(await ask({ maxBytes: 3 })).toMatchObject({ status: null, why: 'too-large' })
  })

  it('waits for so long, and no longer than who asks', async () => {
    expect(await ask({ fault: 'slow-answers', seconds: 0.2 })).toMatchObject({ status: null, why: 'late' })
    const stop = new AbortController()
    const asked = ask({ fault: 'slow-answers' }, stop.signal)
    stop.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
  })

  it('believes no gateway with another’s certificate, and takes a guest’s own for what it is', async () => {
    expect(await ask({ trusting: false })).toMatchObject({ status: null, why: 'untrusted' })
    const own = gateway.url(APP, { port: 443, way: 'tls' })
    expect(await ask({ url: own })).toMatchObject({ status: 200, certificate: { trusted: false, quote: expect.any(Buffer) as unknown } })
  })

  it.each([
    ['a private address', ['127.0.0.1']],
    ['a private address beside a public one', ['192.0.0.8', '1.1.1.1']],
    ['this machine', ['::1']],
  ])('connects to no gateway whose name leads to %s', async (_, addresses) => {
    const from = gateway.asked.length
    const answer = await ask({
      url: `https://${APP}-80.${gateway.base}:${gateway.port}`,
      gateways: [{ domain: gateway.base, connect: null }],
      resolve: (_name, _options, done) =>
        done(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
    })
    expect([answer, gateway.asked.length - from]).toEqual([{ status: null, why: 'private', certificate: null }, 0])
  })

  it('asks no gateway that is not listed, and is told of one that is not there', async () => {
    await expect(ask({ gateways: [{ domain: 'dstack-*.example.org', connect: null }] })).rejects.toMatchObject({
      code: 'gateway-not-listed',
    })
    const closed = [{ domain: gateway.base, connect: { host: '127.0.0.1', port: 1 } }]
    expect(await ask({ gateways: closed })).toMatchObject({ status: null, why: 'unreachable' })
  })
})
