import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../verifier/model/failure.ts'
import { formatGatewayUrl, type GatewayUrl, parseGatewayUrl } from './gateway-url.ts'

const APP = '84304bbe'.repeat(5)
const BASE = 'dstack-pha-prod7.phala.network'
const read = { id: APP, way: 'http', base: BASE, externalPort: 443, path: '/' } as const

describe('a URL of a gateway', () => {
  it.each([
    [`https://${APP}-8080.${BASE}/healthz`, { ...read, port: 8080, path: '/healthz' }],
    [`https://${APP}.${BASE}`, { ...read, port: 80 }],
    [`https://${APP}-.${BASE}/`, { ...read, port: 80 }],
    [`https://${APP}-s.${BASE}`, { ...read, port: 443, way: 'tls' }],
    [`https://${APP}-g.${BASE}`, { ...read, port: 80, way: 'h2' }],
    [`https://${APP}-8443s.${BASE}:9443`, { ...read, port: 8443, way: 'tls', externalPort: 9443 }],
    [`https://${APP}-50051g.${BASE}`, { ...read, port: 50_051, way: 'h2' }],
    [`https://${APP.toUpperCase()}-65535.${BASE.toUpperCase()}`, { ...read, port: 65_535 }],
    [`https://gateway.${BASE}`, { ...read, id: 'gateway', port: 80 }],
  ])('is %s', (url, expected) => {
    expect(parseGatewayUrl(url)).toEqual(expected)
  })

  it.each([
    ['not a URL'],
    [`http://${APP}-8080.${BASE}`],
    [`https://user@${APP}-8080.${BASE}`],
    [`https://${APP}-8080.${BASE}/?a`],
    [`https://${APP}-8080.${BASE}/?`],
    [`https://${APP}-8080.${BASE}/#`],
    [`https://${APP}-8080sg.${BASE}`],
    [`https://${APP}-gs.${BASE}`],
    [`https://${APP}-8080-s.${BASE}`],
    [`https://${APP}-65536.${BASE}`],
    [`https://${APP}-0.${BASE}`],
    [`https://${APP}-080.${BASE}`],
    [`https://${APP}-+80.${BASE}`],
    [`https://${APP}-8080S8.${BASE}`],
    [`https://${APP.slice(1)}-80.${BASE}`],
    [`https://${APP}0-80.${BASE}`],
    [`https://my-app.${BASE}`],
    [`https://gateway-8090.${BASE}`],
    [`https://${APP}-80.localhost`],
    [`https://${APP}-80.${BASE}:0`],
    [`https://${APP}`],
    ['https://127.0.0.1'],
    ['https://[::1]/'],
    [`https://${APP}-80.${BASE}/${'a'.repeat(2048)}`],
  ])('is not %s', (url) => {
    expect(codeOf(() => parseGatewayUrl(url))).toBe('gateway-url-malformed')
  })

  it('of the domain that is often guessed is refused, with the right form', () => {
    const failure = caught(() => parseGatewayUrl(`https://${APP}-8080.pa.phala.network/`))
    expect(failure.code).toBe('gateway-url-domain')
    expect(failure.hint).toContain(`https://${APP}-8080.dstack-REGION.phala.network`)
    expect(codeOf(() => parseGatewayUrl('https://my-app.pa.phala.network'))).toBe('gateway-url-domain')
  })

  it('is read as it was written', () => {
    fc.assert(
      fc.property(gatewayUrl, (url) => {
        expect(parseGatewayUrl(formatGatewayUrl(url))).toEqual(url)
      }),
    )
  })

  it('has one spelling, whatever it was read from', () => {
    for (const label of [APP, `${APP}-`, `${APP}-80`, APP.toUpperCase()])
      expect(formatGatewayUrl(parseGatewayUrl(`https://${label}.${BASE}:443/`))).toBe(`https://${APP}-80.${BASE}`)
    expect(formatGatewayUrl(parseGatewayUrl(`https://${APP}-s.${BASE}/a`))).toBe(`https://${APP}-443s.${BASE}/a`)
    expect(formatGatewayUrl(parseGatewayUrl(`https://gateway.${BASE}`))).toBe(`https://gateway.${BASE}`)
  })

  it('is never written of parts that mean something else', () => {
    const broken = fc.oneof(
      fc.record({ id: fc.string() }),
      fc.record({ base: fc.constantFrom('evil.example/x', 'a.example:1', '127.0.0.1', '', 'a@b.example') }),
      fc.record({ port: fc.constantFrom(0, -1, 65_536, 1.5, Number.NaN) }),
      fc.record({ path: fc.constantFrom('?a', '//..', '/../x', 'x', '#', '@evil.example', '.evil.example/') }),
    )
    fc.assert(
      fc.property(gatewayUrl, broken, (url, change) => {
        fc.pre(!('id' in change) || !/^([0-9a-f]{40}|gateway)$/.test(change.id))
        expect(codeOf(() => formatGatewayUrl({ ...url, ...change }))).toMatch(/^gateway-url-/)
      }),
    )
  })
})

const hex = fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: 40, maxLength: 40 })
const domain = fc.constantFrom(BASE, 'gateway.example', 'a-b.c.example')
const gatewayUrl: fc.Arbitrary<GatewayUrl> = fc.record({
  id: hex,
  port: fc.integer({ min: 1, max: 65_535 }),
  way: fc.constantFrom('http', 'h2', 'tls'),
  base: domain,
  externalPort: fc.integer({ min: 1, max: 65_535 }),
  path: fc.constantFrom('/', '/healthz', '/a/b.json', '/a%20b'),
})

function caught(run: () => unknown): Failure {
  try {
    run()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing was refused')
}

function codeOf(run: () => unknown): string {
  return caught(run).code
}
