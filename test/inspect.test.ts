import { generateKeyPairSync } from 'node:crypto'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeStatement, keySigner, publicGoodSnapshot } from '../attestations/index.ts'
import { parseGatewayUrl } from '../src/app/deploy/gateway-url.ts'
import { askGate } from '../src/app/gate/ask-gate.ts'
import { Policy } from '../src/app/gate/policy.ts'
import type { LoadedPolicy } from '../src/app/gate/read-policy.ts'
import { APP_COMPOSE, APP_ID, COMPOSE_HASH, digest, MANIFEST, NAME, POLICY, STATEMENT } from '../src/app/gate/testing/passing.ts'
import type { BootMeasurement } from '../src/app/inspect/boot-measurements.ts'
import { type InspectApp, inspectApp } from '../src/app/inspect/inspect-app.ts'
import type { InspectPorts } from '../src/app/inspect/inspect-ports.ts'
import { Inspection } from '../src/app/inspect/inspection.ts'
import { openGuestDoor } from '../src/dstack/guest-door.ts'
import { standInQuotes } from '../src/dstack/stand-in-quotes.ts'
import {
  type GuestFault,
  type StandInGateway,
  type StandInGuest,
  standInMeasurement,
  startStandInGateway,
} from './stand-ins/guest-agent.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const key = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const loaded = { policy: { ...POLICY, signers: [{ key }] }, sha256: digest('0') }
const NOW = new Date('2026-11-28T00:00:00Z')
const GUEST: StandInGuest = { appId: APP_ID, appCompose: APP_COMPOSE, osImageHash: digest('d'), mrConfig: 2 }
const IMAGE = standInMeasurement(digest('d'))
const MEASURED = { osImageHash: digest('d'), registers: [IMAGE.mrtd, IMAGE.rtmr0, IMAGE.rtmr1, IMAGE.rtmr2] as const }

let gateway: StandInGateway
let bundle: Uint8Array
const before = getCACertificates('default')
beforeAll(async () => {
  gateway = await startStandInGateway()
  setDefaultCACertificates([...before, gateway.authority])
  bundle = Buffer.from(await signer.sign(encodeStatement(STATEMENT), { signal: new AbortController().signal, owner: null }))
})
afterAll(async () => {
  setDefaultCACertificates(before)
  await gateway[Symbol.asyncDispose]()
})

const gateBy =
  (policy: LoadedPolicy): InspectPorts['gate'] =>
  async ({ appCompose, appId, guest }, signal) =>
    await askGate(
      {
        now: () => NOW,
        trustedRoot: () => Promise.resolve({ origin: 'snapshot', root: publicGoodSnapshot() }),
        bundlesOf: () => Promise.resolve({ bundles: [bundle], skipped: [], truncated: false }),
      },
      {
        policy,
        subject: { appCompose, appId },
        boot: guest,
        bundles: null,
        trustedRoot: { file: null, refresh: false },
        signal,
      },
    )

/** What the real hardware would do, for tests of what comes to `verified`: the stand-in's check without its mark. */
const unmarked = (): InspectPorts['quotes'] => ({ ...standInQuotes(gateway.root), simulated: false })

const unable: InspectPorts['quotes'] = { simulated: false, check: () => Promise.resolve({ result: 'unable', reason: 'no collateral' }) }

type Change = Partial<InspectPorts> & {
  readonly url?: string
  readonly health?: string
  readonly measurements?: readonly BootMeasurement[] | null
  readonly seconds?: number
  readonly deployed?: InspectApp['deployed']
}

async function inspected(guest: Partial<StandInGuest> & { readonly fault?: GuestFault } = {}, change: Change = {}): Promise<Inspection> {
  const { fault, ...rest } = guest
  gateway.start({ ...GUEST, ...rest, faults: new Set(fault === undefined ? [] : [fault]) })
  const gateways = [{ domain: gateway.base, connect: { host: '127.0.0.1', port: gateway.port } }]
  const ports = {
    now: () => NOW,
    guest: openGuestDoor({ gateways, seconds: change.seconds ?? 20 }),
    quotes: standInQuotes(gateway.root),
    gate: gateBy(loaded),
    ...change,
  }
  const inspection = await inspectApp(ports, {
    url: parseGatewayUrl(change.url ?? gateway.url(APP_ID)),
    healthPath: change.health ?? null,
    measurements: change.measurements === undefined ? [MEASURED] : change.measurements,
    deployed: change.deployed ?? null,
    signal: new AbortController().signal,
  })
  return Inspection.parse(inspection)
}

const statuses = ({ lines }: Inspection): Record<string, string> => Object.fromEntries(lines.map(({ id, status }) => [id, status]))
const failed = ({ lines }: Inspection): string[] => lines.flatMap(({ id, status }) => (status === 'fail' ? [id] : []))

describe('an app that is what its policy wants', () => {
  it('is simulated where a key stands in for Intel’s, however well it does', async () => {
    const inspection = await inspected({}, { health: '/health', url: gateway.url(APP_ID, { port: 443, way: 'tls' }) })
    expect(inspection).toMatchObject({
      verdict: 'simulated',
      app: { id: APP_ID, composeHash: COMPOSE_HASH, osImageHash: digest('d') },
      tcb: { status: 'UpToDate', advisories: [] },
      images: [{ service: 'app', name: NAME, digest: MANIFEST }],
      appCompose: COMPOSE_HASH,
      policy: { name: 'production' },
    })
    expect(inspection.lines.filter(({ needed, status }) => needed && status !== 'pass')).toEqual([])
    expect(inspection.lines.find(({ id }) => id === 'quote-signature')?.reason).toContain('SIMULATED')
  })

  it('would be verified by hardware, at a URL whose own key a quote names', async () => {
    const own = gateway.url(APP_ID, { port: 443, way: 'tls' })
    expect(await inspected({}, { quotes: unmarked(), url: own })).toMatchObject({ verdict: 'verified' })
    expect(await inspected({ eventLogVersion: 2, mrConfig: 1 }, { quotes: unmarked(), url: own })).toMatchObject({ verdict: 'verified' })
  })

  it('is not proven where TLS ends at the gateway, which says what it leads to', async () => {
    const inspection = await inspected({}, { quotes: unmarked() })
    expect([inspection.verdict, statuses(inspection)['url-binding']]).toEqual(['unproven', 'info'])
  })

  it('is nothing but claimed without a checked boot', async () => {
    const own = gateway.url(APP_ID, { port: 443, way: 'tls' })
    const inspection = await inspected({}, { quotes: unmarked(), measurements: null, url: own })
    expect(inspection.verdict).toBe('unproven')
    expect(statuses(inspection)).toMatchObject({
      'quote-signature': 'pass',
      'rtmr3-replay': 'pass',
      'boot-measurement': 'skip',
      'os-image': 'info',
      'app-id': 'info',
      'compose-hash': 'info',
      image: 'info',
      'url-binding': 'info',
    })
    expect(inspection.lines.find(({ id }) => id === 'image')?.reason).toMatch(/^claimed by the guest/)
  })

  it.each<[string, GuestFault | undefined, Change]>([
    ['nobody could verify the signature', undefined, { quotes: unable }],
    ['another key signed', 'foreign-key', {}],
    ['its host looks into it', 'debug', {}],
    ['its log is not what it measured', 'wrong-rtmr', {}],
  ])('is nothing but claimed where %s', async (_, fault, change) => {
    const inspection = await inspected(fault === undefined ? {} : { fault }, change)
    const { image, 'compose-hash': compose, 'mr-config-id': config } = statuses(inspection)
    expect([image, ['info', 'skip']]).toEqual(['info', expect.arrayContaining([compose])])
    if (inspection.tcb === null) expect(config).toBe('info')
  })

  it('fails where it was to be another than it is, however well that one does', async () => {
    const own = { quotes: unmarked(), url: gateway.url(APP_ID, { port: 443, way: 'tls' }) }
    const is = { appId: APP_ID, composeHash: COMPOSE_HASH }
    expect(await inspected({}, { ...own, deployed: is })).toMatchObject({ verdict: 'verified' })
    const other = await inspected({}, { ...own, deployed: { ...is, appId: 'cd'.repeat(20) } })
    expect([other.verdict, failed(other)]).toEqual(['failed', ['app-id']])
    const updated = await inspected({}, { ...own, deployed: { ...is, composeHash: digest('8') } })
    expect([updated.verdict, failed(updated)]).toEqual(['failed', ['compose-hash']])
    // Without anything that was measured nothing is known of either.
    expect(failed(await inspected({ fault: 'no-attestation' }, { ...own, deployed: { ...is, appId: 'cd'.repeat(20) } }))).toEqual([])
  })

  it('needs a policy, and attestations that can be asked for', async () => {
    const alone = await inspected({}, { gate: null })
    expect([alone.policy, statuses(alone)]).toMatchObject([null, { image: 'skip', policy: 'skip' }])
  })

  it('is asked for through its agent, and by no other way', async () => {
    const from = gateway.asked.length
    await inspected({ fault: 'old-info' }, { health: '/health?deep=1' })
    const host = (port: number): string => `${APP_ID}-${port}.${gateway.base}`
    expect(gateway.asked.slice(from).toSorted()).toEqual([
      `GET ${host(80)} /`,
      `GET ${host(80)} /health?deep=1`,
      `GET ${host(8090)} /prpc/Info`,
      `GET ${host(8090)} /prpc/Worker.Info`,
      `POST ${host(8090)} /prpc/GetAttestationForAppKey?json`,
    ])
  })
})

describe('an app that is another than it says', () => {
  it.each<[GuestFault, string[]]>([
    ['wrong-compose', ['compose-hash', 'policy']],
    ['forged-event', ['rtmr3-replay']],
    ['stale-digest', ['rtmr3-replay']],
    ['second-compose-hash', ['rtmr3-replay', 'boot-events']],
    ['wrong-rtmr', ['rtmr3-replay']],
    ['other-app', ['guest-info', 'app-id', 'mr-config-id', 'policy']],
    ['other-instance', ['guest-info']],
    ['other-image', ['boot-measurement']],
    ['other-mr-config', ['mr-config-id']],
    ['debug', ['td-closed']],
    ['flipped-quote', ['quote-signature', 'boot-measurement']],
    ['foreign-key', ['quote-signature']],
    ['unhealthy', ['health']],
    ['no-json', ['guest-info', 'quote-signature']],
  ])('fails: %s', async (fault, lines) => {
    const inspection = await inspected({ fault }, { health: '/health' })
    expect([inspection.verdict, failed(inspection)]).toEqual(['failed', lines])
  })

  it('fails by every flipped byte of its quote', async () => {
    const quotes = standInQuotes(gateway.root)
    gateway.start(GUEST)
    let shown: Uint8Array | undefined
    await inspected({}, { quotes: { ...quotes, check: (quote, ...rest) => ((shown = quote), quotes.check(quote, ...rest)) } })
    const good = Buffer.from(shown ?? [])
    expect(good.length).toBe(770)
    const check = (quote: Uint8Array) => quotes.check(quote, NOW, new AbortController().signal)
    expect(await check(good)).toMatchObject({ result: 'valid' })
    for (const at of good.keys()) {
      const flipped = Buffer.from(good)
      flipped[at] = (flipped[at] ?? 0) ^ 0x10
      expect(await check(flipped)).toMatchObject({ result: 'refused' })
    }
    expect(await check(Buffer.concat([good, Buffer.alloc(1)]))).toMatchObject({ result: 'refused' })
  })

  it('fails where its image is attested of a stranger’s rebuild', async () => {
    const strangers = { app: { ...loaded.policy.sources['app'], owners: ['https://git.example/somebody-else'] } }
    const policy = { ...loaded, policy: Policy.parse({ ...loaded.policy, sources: strangers }) }
    const inspection = await inspected({}, { gate: gateBy(policy) })
    expect(failed(inspection)).toEqual(['image'])
    expect(inspection.lines.find(({ id }) => id === 'image')?.reason).toMatch(/^owner-admitted: somebody else/)
  })

  it('fails where it names another guest image than the one that its registers are of', async () => {
    const inspection = await inspected({}, { measurements: [{ ...MEASURED, osImageHash: digest('e') }] })
    expect(failed(inspection)).toEqual(['os-image', 'policy'])
  })

  it('fails on a platform that the policy does not take, and is not proven on one that nobody takes', async () => {
    const tcb = { status: 'OutOfDate', advisories: ['INTEL-SA-00001'] }
    const old: InspectPorts['quotes'] = { simulated: false, check: () => Promise.resolve({ result: 'valid', tcb, deviceId: null }) }
    expect(failed(await inspected({}, { quotes: old }))).toEqual(['policy'])
    const alone = await inspected({}, { quotes: old, gate: null })
    expect([alone.verdict, alone.tcb]).toEqual(['unproven', tcb])
    expect(alone.lines.find(({ id }) => id === 'tcb-status')).toMatchObject({ status: 'info', detail: 'OutOfDate, INTEL-SA-00001' })
  })

  it('fails where an image is named by a tag', async () => {
    const appCompose = APP_COMPOSE.replace(`@sha256:${MANIFEST}`, ':latest')
    expect(failed(await inspected({ appCompose }))).toContain('image')
  })
})

describe('an app that cannot be looked at', () => {
  it.each<[GuestFault, string]>([
    ['no-info', 'compose-hash'],
    ['hidden-compose', 'compose-hash'],
    ['no-attestation', 'quote-signature'],
    ['half-answers', 'quote-signature'],
    ['huge-answers', 'quote-signature'],
    ['redirects', 'quote-signature'],
  ])('is not proven, and not failed: %s', async (fault, line) => {
    const inspection = await inspected({ fault })
    expect([failed(inspection), statuses(inspection)[line]]).toEqual([[], 'skip'])
    expect(['unproven', 'simulated']).toContain(inspection.verdict)
  })

  it('is waited for no longer than is given', async () => {
    const inspection = await inspected({ fault: 'slow-answers' }, { seconds: 0.3 })
    expect(inspection.verdict).toBe('unproven')
    expect(inspection.lines.find(({ id }) => id === 'live-url')).toMatchObject({ status: 'skip', reason: 'it did not answer in time' })
  })

  it('is asked for at listed gateways alone, and never at one that is none', async () => {
    await expect(inspected({}, { guest: openGuestDoor({ gateways: [] }) })).rejects.toMatchObject({ code: 'gateway-not-listed' })
    await expect(inspected({}, { url: `https://gateway.${gateway.base}` })).rejects.toMatchObject({ code: 'inspect-gateway' })
  })
})
