import { beforeEach, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { parseGatewayUrl } from '../src/app/deploy/gateway-url.ts'
import { readBootEvents } from '../src/app/inspect/boot-events.ts'
import { replayFirmware, replayRuntime } from '../src/app/inspect/event-log.ts'
import { readGuestAttestation } from '../src/app/inspect/guest-answers.ts'
import { inspectApp } from '../src/app/inspect/inspect-app.ts'
import type { GuestDoor } from '../src/app/inspect/inspect-ports.ts'
import { readTdQuote } from '../src/app/inspect/td-quote.ts'
import { IntelCollateral } from '../src/dstack/intel-collateral.ts'
import { intelQuotes } from '../src/dstack/intel-quotes.ts'
import { revocationOf } from '../src/dstack/intel-revocation.ts'
import { pccsCollateral } from '../src/dstack/pccs-collateral.ts'
import { withModule } from '../src/dstack/tdx-module.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import { parseStrictJson } from '../verifier/model/strict-json.ts'
import { NO_EVIDENCE, realEvidence } from './real-evidence.ts'

const evidence = realEvidence()
const { signal } = new AbortController()

beforeEach(({ skip }) => {
  if (evidence === undefined) skip(NO_EVIDENCE)
})

const COMPOSE_HASH = '06768e6df639ce3be65e9e5321f8b2d82dbffb01c74323462d34c2feb9653aff'

describe('a guest that ran on a real machine', () => {
  const read = evidence ?? ((): Buffer => Buffer.alloc(0))
  const report = () => JSON.parse(read('report.json').toString()) as { quote: string; event_log: string }
  const attestation = () => readGuestAttestation(read('report.json'))

  it('measured what its log and its app-compose say', () => {
    const { quote, log } = attestation() ?? { quote: null, log: [] }
    const registers = quote === null ? undefined : readTdQuote(quote)
    expect(registers).toMatchObject({ version: 4, debug: false, plain: true })
    const replays = [replayFirmware(log, 0), replayFirmware(log, 1), replayFirmware(log, 2), replayRuntime(log)]
    expect(replays.map((replay) => (typeof replay === 'string' ? replay : replay.value))).toEqual(registers?.rtmrs)
    expect(readBootEvents(log)).toMatchObject({ appId: COMPOSE_HASH.slice(0, 40), composeHash: COMPOSE_HASH, osImageHash: null })
    expect(digestOf(read('app-compose.json'))).toBe(COMPOSE_HASH)
  })

  it('is looked at to the end, where its image is named by a tag and its signature has no collateral', async () => {
    const { quote, event_log: log } = report()
    const { rtmrs, mrtd } = readTdQuote(Buffer.from(quote, 'hex')) ?? { rtmrs: [], mrtd: '' }
    const tcb = { mrtd, rtmr0: rtmrs[0], event_log: [], app_compose: read('app-compose.json').toString() }
    const info = { app_id: COMPOSE_HASH.slice(0, 40), instance_id: '', tcb_info: JSON.stringify(tcb) }
    const json = (value: object) => ({ status: 200, body: Buffer.from(JSON.stringify(value)), certificate: null })
    const guest: GuestDoor = {
      ask: ({ path }) =>
        Promise.resolve(path.includes('Info') ? json(info) : path.includes('GetAttestation') ? json({ quote, event_log: log }) : json({})),
    }
    const quotes = intelQuotes(() => Promise.resolve('no collateral is at hand'))
    const url = parseGatewayUrl(`https://${COMPOSE_HASH.slice(0, 40)}-8080.dstack-pha-prod7.phala.network`)
    const inspection = await inspectApp(
      { now: () => new Date('2026-11-28T00:00:00Z'), guest, quotes, gate: null },
      { url, healthPath: null, measurements: null, signal },
    )
    expect(Object.fromEntries(inspection.lines.map(({ id, status }) => [id, status]))).toEqual({
      'live-url': 'info',
      'guest-info': 'info',
      'quote-signature': 'skip',
      'tcb-status': 'skip',
      'td-closed': 'pass',
      'rtmr3-replay': 'pass',
      'firmware-replay': 'pass',
      'boot-events': 'pass',
      'boot-measurement': 'skip',
      'os-image': 'skip',
      'app-id': 'info',
      'compose-hash': 'info',
      'mr-config-id': 'skip',
      'compose-lint': 'info',
      image: 'fail',
      policy: 'skip',
      'url-binding': 'skip',
    })
    expect(inspection).toMatchObject({ verdict: 'failed', images: [{ service: 'jupyter', name: null, digest: null }] })
  })
})

describe('a quote with Intel’s collateral', () => {
  const read = evidence ?? ((): Buffer => Buffer.alloc(0))
  const collateral = (): z.infer<typeof IntelCollateral> => IntelCollateral.parse(parseStrictJson(read('tdx_quote_collateral.json')))
  const THEN = new Date('2025-06-20T00:00:00Z')
  const check = (quote: Uint8Array, now = THEN) => intelQuotes(() => Promise.resolve(collateral())).check(quote, now, signal)

  it('is up to date in its time, and of a machine', async () => {
    const deviceId = digestOf(Buffer.from('811dca2a26b952e85bb6448b097ba4fd', 'hex'))
    expect(await check(read('tdx_quote.bin'))).toEqual({ result: 'valid', tcb: { status: 'UpToDate', advisories: [] }, deviceId })
  })

  it.each([
    ['after it, which says nothing of it', '2026-11-28T00:00:00Z', 'has expired'],
    ['before it', '2025-01-01T00:00:00Z', 'is of a later time'],
  ])('is not held against collateral %s', async (_, now, reason) => {
    expect(await check(read('tdx_quote.bin'), new Date(now))).toEqual({
      result: 'unable',
      reason: expect.stringContaining(reason) as unknown,
    })
  })

  it('is of a module that is listed, whose own levels say more than those of the platform', async () => {
    const { tcb_info } = collateral()
    const [mrSignerSeam, seamAttributes] = [Buffer.alloc(48), Buffer.alloc(8)]
    const upToDate = { status: 'UpToDate', advisories: [] }
    const of = (svn: number) => withModule(upToDate, { teeTcbSvn: Buffer.from([svn, 1]), mrSignerSeam, seamAttributes }, tcb_info)
    expect([of(6), of(4), of(3)?.status, of(1)]).toEqual([upToDate, upToDate, 'OutOfDate', undefined])
  })

  it('is refused with one byte flipped, wherever it is signed', async () => {
    const good = read('tdx_quote.bin')
    // Header, every part of the body, both signatures, the key, the report of the quoting enclave, and into the certificates.
    for (const at of [8, 30, 48, 120, 190, 300, 400, 500, 600, 636, 640, 700, 760, 800, 1200, 1210, 1280, 1500]) {
      const flipped = Buffer.from(good)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      const { result } = await check(flipped)
      expect([at, result]).toEqual([at, 'refused'])
    }
  })

  it('is not held against collateral that Intel did not sign, or of another platform', async () => {
    const quote = read('tdx_quote.bin')
    const changed = (change: (tcb: string) => string) =>
      intelQuotes(() => Promise.resolve({ ...collateral(), tcb_info: change(collateral().tcb_info) })).check(quote, THEN, signal)
    expect(await changed((tcb) => tcb.replace('"UpToDate"', '"OutOfDate"'))).toEqual({
      result: 'unable',
      reason: 'Intel did not sign the collateral',
    })
    expect(await changed(() => '{')).toEqual({ result: 'unable', reason: 'the collateral cannot be read' })
  })

  it('is not held against lists of revoked certificates that its issuers did not sign, or that are not of its time', async () => {
    const own = collateral()
    const flipped = (hex: string, fromEnd: number): string => {
      const bytes = Buffer.from(hex, 'hex')
      bytes[bytes.length - fromEnd] = (bytes[bytes.length - fromEnd] ?? 0) ^ 1
      return bytes.toString('hex')
    }
    const changes: readonly (readonly [Partial<typeof own>, string])[] = [
      [{ pck_crl: '' }, 'cannot be read'],
      [{ root_ca_crl: '' }, 'cannot be read'],
      [{ pck_crl: own.pck_crl.slice(0, -2) }, 'cannot be read'],
      [{ pck_crl: `${own.pck_crl}00` }, 'cannot be read'],
      [{ pck_crl: own.root_ca_crl }, 'did not sign'],
      [{ root_ca_crl: own.pck_crl }, 'did not sign'],
      [{ pck_crl: flipped(own.pck_crl, 2) }, 'did not sign'],
      [{ pck_crl: flipped(own.pck_crl, 1000) }, 'did not sign'],
      [{ root_ca_crl: flipped(own.root_ca_crl, 2) }, 'did not sign'],
    ]
    for (const [change, reason] of changes)
      expect(await intelQuotes(() => Promise.resolve({ ...own, ...change })).check(read('tdx_quote.bin'), THEN, signal)).toEqual({
        result: 'unable',
        reason: expect.stringContaining(reason) as unknown,
      })
    // A list is older than all else that this collateral holds.
    const at = new Date('2025-06-19T10:20:00Z')
    expect(revocationOf(read('tdx_quote.bin'), own, at)).toEqual({ result: 'good' })
    expect(revocationOf(read('tdx_quote.bin'), own, new Date('2025-06-19T10:00:00Z'))).toMatchObject({ result: 'unable' })
    expect(revocationOf(read('tdx_quote.bin'), own, new Date('2025-07-19T11:00:00Z'))).toMatchObject({ result: 'unable' })
  })

  it('is held against what a PCCS answers', async () => {
    const quote = read('tdx_quote.bin')
    const asked: string[] = []
    const headers = { chain: (name: string, pem: string) => ({ [name]: encodeURIComponent(pem) }) }
    const own = collateral()
    const answers: readonly (readonly [part: string, headers: Record<string, string>, bytes: Buffer | string])[] = [
      ['/pckcrl', headers.chain('sgx-pck-crl-issuer-chain', own.pck_crl_issuer_chain), Buffer.from(own.pck_crl, 'hex')],
      ['/rootcacrl', {}, own.root_ca_crl],
      [
        '/tcb?',
        headers.chain('tcb-info-issuer-chain', own.tcb_info_issuer_chain),
        `{"tcbInfo":${own.tcb_info},"signature":"${own.tcb_info_signature}"}`,
      ],
      [
        '/qe/identity',
        headers.chain('sgx-enclave-identity-issuer-chain', own.qe_identity_issuer_chain),
        `{"enclaveIdentity":${own.qe_identity},"signature":"${own.qe_identity_signature}"}`,
      ],
    ]
    const source = pccsCollateral(new URL('https://pccs.example/sgx/certification/v4/'), (url) => {
      asked.push(url)
      const [, found = {}, bytes = ''] = answers.find(([part]) => url.includes(part)) ?? []
      return Promise.resolve({ headers: found, bytes: Buffer.from(bytes) })
    })
    expect(await intelQuotes(source).check(quote, THEN, signal)).toMatchObject({ result: 'valid', tcb: { status: 'UpToDate' } })
    expect(asked).toEqual([
      expect.stringMatching(/^https:\/\/pccs\.example\/sgx\/certification\/v4\/pckcrl\?ca=(?:platform|processor)&encoding=der$/),
      'https://pccs.example/sgx/certification/v4/rootcacrl',
      expect.stringMatching(/^https:\/\/pccs\.example\/tdx\/certification\/v4\/tcb\?fmspc=[0-9A-F]{12}$/),
      'https://pccs.example/tdx/certification/v4/qe/identity?update=standard',
    ])
  })
})
