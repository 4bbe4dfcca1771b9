import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type StandInGuest, standInEvidence, standInMeasurement } from '../../../test/stand-ins/guest-evidence.ts'
import { parseGatewayUrl } from '../deploy/gateway-url.ts'
import { digest } from '../gate/testing/passing.ts'
import { EventLog } from './event-log.ts'
import { type Evidence, evidenceOf } from './evidence.ts'
import type { PeerCertificate, QuoteCheck, QuoteVerifier } from './inspect-ports.ts'
import { reportDataOf, urlBinding } from './url-binding.ts'

const GUEST: StandInGuest = { appId: 'ab'.repeat(20), appCompose: '{}', osImageHash: 'd'.repeat(64) }
const { privateKey: root } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicKey = (key: KeyObject): Uint8Array => key.export({ type: 'spki', format: 'der' })
const own = publicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
const other = publicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
const VALID: QuoteCheck = { result: 'valid', tcb: { status: 'UpToDate', advisories: [] }, deviceId: null }

const quoteFor = (key: Uint8Array, guest = GUEST): Uint8Array => standInEvidence(guest, root, Buffer.from(reportDataOf(key), 'hex')).quote

function evidence(certificate: PeerCertificate | null, measured = true): Evidence {
  const { quote, log } = standInEvidence(GUEST, root, Buffer.alloc(64))
  const image = standInMeasurement(GUEST.osImageHash)
  const page = { status: 200, body: Buffer.alloc(0), certificate }
  const missing = { value: null, why: 'absent', reason: '' } as const
  const asked = { info: missing, attestation: { value: { quote, log: EventLog.parse(log) } }, root: page, health: null }
  const registers = [image.mrtd, image.rtmr0, image.rtmr1, image.rtmr2] as const
  return evidenceOf(asked, VALID, measured ? [{ osImageHash: digest('d'), registers }] : null)
}

const quotes = (answer: QuoteCheck = VALID): QuoteVerifier => ({ simulated: false, check: () => Promise.resolve(answer) })
const bound = async (certificate: PeerCertificate | null, o: { way?: 's' | ''; answer?: QuoteCheck; measured?: boolean } = {}) => {
  const url = parseGatewayUrl(`https://${GUEST.appId}-443${o.way ?? 's'}.dstack-a.phala.network`)
  const asked = { url, quotes: quotes(o.answer), now: new Date(0), signal: new AbortController().signal }
  return await urlBinding(evidence(certificate, o.measured), asked)
}
const shown = (quote: PeerCertificate['quote'], trusted = false): PeerCertificate => ({ publicKey: own, trusted, quote })

describe('a URL', () => {
  it('is bound where a quote of the guest names the key of its connection', async () => {
    expect(await bound(shown(quoteFor(own)))).toMatchObject({ status: 'pass' })
    expect(await bound(shown(quoteFor(own)), { way: '' })).toMatchObject({ status: 'pass' })
  })

  it.each<[string, PeerCertificate['quote'], Partial<Parameters<typeof bound>[1]>, string, string]>([
    ['names another key', quoteFor(other), {}, 'fail', 'about another key'],
    ['is of another app', quoteFor(own, { ...GUEST, appId: 'cd'.repeat(20) }), {}, 'fail', 'of another guest'],
    ['is of another app-compose', quoteFor(own, { ...GUEST, appCompose: '{ }' }), {}, 'fail', 'of another guest'],
    ['is of another image', quoteFor(own, { ...GUEST, faults: new Set(['other-image']) }), {}, 'fail', 'of another guest'],
    ['is of a guest that is open', quoteFor(own, { ...GUEST, faults: new Set(['debug']) }), {}, 'fail', 'of another guest'],
    ['was launched for another app', quoteFor(own, { ...GUEST, mrConfig: 1 }), {}, 'fail', 'of another guest'],
    ['is none', Buffer.from('no quote'), {}, 'fail', 'no quote'],
    ['is not signed', quoteFor(own), { answer: { result: 'refused', reason: 'another signed it' } }, 'fail', 'another signed it'],
    ['has no collateral', quoteFor(own), { answer: { result: 'unable', reason: 'no collateral' } }, 'skip', 'no collateral'],
    ['is in a form that is not read', 'unread', {}, 'skip', 'not read'],
    ['is of a guest that nobody measured', quoteFor(own), { measured: false }, 'info', 'claimed by the guest'],
  ])('is not bound by a quote that %s', async (_, quote, o, status, reason) => {
    expect(await bound(shown(quote), o)).toMatchObject({ status, reason: expect.stringContaining(reason) as unknown })
  })

  it('is not bound by a certificate without a quote', async () => {
    expect(await bound(shown(null, true), { way: '' })).toMatchObject({
      status: 'info',
      reason: expect.stringContaining('gateway') as unknown,
    })
    expect(await bound(shown(null, true))).toMatchObject({ status: 'skip' })
    expect(await bound(shown(null))).toMatchObject({ status: 'fail' })
    expect(await bound(null)).toMatchObject({ status: 'skip' })
  })
})
