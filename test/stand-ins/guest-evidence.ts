import { createHash, type KeyObject, sign } from 'node:crypto'
import { keccak_256 as keccak256 } from '@noble/hashes/sha3'
import { RUNTIME_EVENT, runtimeDigest } from '../../src/app/inspect/event-log.ts'

/** What a guest is of, as whoever starts it says. Hex in small letters. */
export type StandInGuest = {
  /** 40 digits. */
  readonly appId: string
  /** 40 digits; made of the app's id if not given. */
  readonly instanceId?: string
  readonly name?: string
  /** The exact bytes. */
  readonly appCompose: string
  /** 64 digits. */
  readonly osImageHash: string
  readonly eventLogVersion?: 1 | 2
  /** In which form the host binds the guest to the app; none if not given. */
  readonly mrConfig?: 1 | 2
  readonly faults?: ReadonlySet<GuestFault>
}

/** How a guest, or the way to it, lies or breaks. */
export type GuestFault =
  | 'wrong-compose'
  | 'forged-event'
  | 'stale-digest'
  | 'second-compose-hash'
  | 'wrong-rtmr'
  | 'other-app'
  | 'other-instance'
  | 'other-image'
  | 'other-mr-config'
  | 'debug'
  | 'flipped-quote'
  | 'foreign-key'
  | 'hidden-compose'
  | 'no-info'
  | 'old-info'
  | 'no-attestation'
  | 'no-json'
  | 'half-answers'
  | 'huge-answers'
  | 'slow-answers'
  | 'redirects'
  | 'unhealthy'

type Event = { readonly imr: number; readonly type: number; readonly name: string; readonly payload: Buffer; readonly digest: Buffer }

/** A quote and what it is about, as a guest agent would show them. */
export type StandInEvidence = {
  readonly quote: Buffer
  readonly log: readonly object[]
  readonly registers: Registers
  readonly reportData: Buffer
}

type Registers = { readonly mrtd: string; readonly rtmr0: string; readonly rtmr1: string; readonly rtmr2: string }

/** What an image measures to here, in the form of `dstack-mr measure --json` with the hash of the image beside it. */
export function standInMeasurement(osImageHash: string): Registers & { readonly os_image_hash: string } {
  const registers = Object.fromEntries([0, 1, 2].map((imr) => [`rtmr${imr}`, registerOf(firmware(osImageHash, imr)).toString('hex')]))
  return { os_image_hash: osImageHash, mrtd: sha384(`mrtd ${osImageHash}`).toString('hex'), ...registers } as Registers & {
    os_image_hash: string
  }
}

/** Builds the evidence of a guest, signed by a key that stands in for Intel's. `reportData`: 64 bytes. */
export function standInEvidence(guest: StandInGuest, key: KeyObject, reportData: Buffer): StandInEvidence {
  const has = (fault: GuestFault): boolean => guest.faults?.has(fault) === true
  const osImage = has('other-image') ? digest(`another ${guest.osImageHash}`) : guest.osImageHash
  const measured = standInMeasurement(osImage)
  const runtime = runtimeEvents(guest, has('other-app') ? 'ee'.repeat(20) : guest.appId)
  const events = [...[0, 1, 2].flatMap((imr) => firmware(osImage, imr)), ...runtime]
  const rtmr3 = has('wrong-rtmr') ? sha384('another register') : registerOf(runtime)
  const quote = quoteOf({ measured, rtmr3, reportData, mrConfigId: mrConfigId(guest, has('other-mr-config')), debug: has('debug') }, key)
  if (has('flipped-quote')) quote[200] = (quote[200] ?? 0) ^ 1
  return { quote, log: shownLog(guest, events), registers: measured, reportData }
}

function runtimeEvents(
  { appCompose, instanceId, osImageHash, eventLogVersion: version = 1 }: StandInGuest,
  appId: string,
): readonly Event[] {
  const event = (name: string, payload: Buffer | string = ''): Event => {
    const bytes = Buffer.from(payload)
    return { imr: 3, type: RUNTIME_EVENT, name, payload: bytes, digest: runtimeDigest({ name, payload: bytes, version }) }
  }
  return [
    event('system-preparing'),
    event('app-id', Buffer.from(appId, 'hex')),
    event('compose-hash', Buffer.from(digest(appCompose), 'hex')),
    event('instance-id', Buffer.from(instanceId ?? instanceOf(appId), 'hex')),
    event('boot-mr-done'),
    event('os-image-hash', Buffer.from(osImageHash, 'hex')),
    event('key-provider', KEY_PROVIDER),
    event('storage-fs', 'zfs'),
    event('system-ready'),
    event('app-event', 'of the app'),
  ]
}

export function instanceOf(appId: string): string {
  return digest(`instance ${appId}`).slice(0, 40)
}

const PROVIDER_ID = '3059301306072a8648ce3d02'
const KEY_PROVIDER = JSON.stringify({ name: 'kms', id: PROVIDER_ID })

function firmware(osImageHash: string, imr: number): readonly Event[] {
  return [1, 2].map((step) => ({ imr, type: 4, name: '', payload: Buffer.from([step]), digest: sha384(`${osImageHash} ${imr} ${step}`) }))
}

/** The log as it is shown, which a lying guest changes where the quote does not show it. */
function shownLog({ faults, eventLogVersion }: StandInGuest, events: readonly Event[]): readonly object[] {
  const shown = events.map(({ imr, type, name, payload, digest: own }) => ({
    imr,
    event_type: type,
    digest: own.toString('hex'),
    event: name,
    event_payload: payload.toString('hex'),
    ...(imr === 3 && eventLogVersion === 2 ? { version: 2 } : {}),
  }))
  const at = shown.findIndex(({ event }) => event === 'compose-hash')
  const compose = shown[at]
  if (compose === undefined) return shown
  const other = { ...compose, event_payload: 'ab'.repeat(32) }
  if (faults?.has('forged-event') === true) return shown.with(at, { ...other, digest: '' })
  if (faults?.has('stale-digest') === true) return shown.with(at, other)
  return faults?.has('second-compose-hash') === true ? [...shown, other] : shown
}

function mrConfigId({ mrConfig, appId, appCompose }: StandInGuest, other: boolean): Buffer {
  const id = Buffer.alloc(48)
  if (mrConfig === undefined) return id
  const composeHash = Buffer.from(digest(other ? 'another app-compose' : appCompose), 'hex')
  const second = Buffer.concat([composeHash, Buffer.from(appId, 'hex'), Buffer.from([2]), Buffer.from(PROVIDER_ID, 'hex')])
  id[0] = mrConfig
  id.set(mrConfig === 1 ? composeHash : keccak256(second), 1)
  return id
}

type Quoted = {
  readonly measured: Registers
  readonly rtmr3: Buffer
  readonly reportData: Buffer
  readonly mrConfigId: Buffer
  readonly debug: boolean
}

/** A quote of version 4: header, body, and in place of Intel's chain the signature of the key with the key itself. */
function quoteOf({ measured, rtmr3, reportData, mrConfigId: configId, debug }: Quoted, key: KeyObject): Buffer {
  const header = Buffer.alloc(48)
  header.writeUInt16LE(4, 0)
  header.writeUInt16LE(2, 2)
  header.writeUInt32LE(0x81, 4)
  const body = Buffer.alloc(584)
  body.set([debug ? 1 : 0, 0, 0, 0x10], 120)
  const registers = [measured.mrtd, configId.toString('hex'), '', '', measured.rtmr0, measured.rtmr1, measured.rtmr2, rtmr3.toString('hex')]
  for (const [index, register] of registers.entries()) body.set(Buffer.from(register, 'hex'), 136 + 48 * index)
  body.set(reportData, 520)
  const signed = Buffer.concat([header, body])
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const signature = sign('sha256', signed, { key, dsaEncoding: 'ieee-p1363' })
  const length = Buffer.alloc(4)
  length.writeUInt32LE(64 + 64 + 6)
  return Buffer.concat([signed, length, signature, Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url'), Buffer.alloc(6)])
}

function registerOf(events: readonly Event[]): Buffer {
  return events.reduce<Buffer>((register, event) => sha384(Buffer.concat([register, event.digest])), Buffer.alloc(48))
}

function sha384(bytes: Buffer | string): Buffer {
  return createHash('sha384').update(bytes).digest()
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
