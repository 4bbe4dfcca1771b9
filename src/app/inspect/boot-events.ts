import { Sha256 } from '../../../verifier/model/digest.ts'
import { utf8Text } from '../../../verifier/model/utf8-text.ts'
import type { LoggedEvent } from './event-log.ts'

/** What the guest measured of itself while it booted. */
export type BootFacts = {
  readonly appId: string
  readonly composeHash: Sha256
  /** Null where the app has none. */
  readonly instanceId: string | null
  /** JSON of the provider of its keys, as it stands there. */
  readonly keyProvider: string | null
  /** Measured only where keys came from a KMS. */
  readonly osImageHash: Sha256 | null
  /** How many of RTMR3's events it takes until all of this is measured. */
  readonly events: number
}

/** The guest's own events, in the order in which it makes them (dstack-util, system_setup.rs). Other versions of it make others between them. */
const ORDER = [
  'system-preparing',
  'app-id',
  'compose-hash',
  'instance-id',
  'boot-mr-done',
  'os-image-hash',
  'key-provider',
  'storage-fs',
  'system-ready',
] as const
const REQUIRED = ['app-id', 'compose-hash', 'boot-mr-done', 'system-ready'] as const
/** Whoever looks for the last event of the name would find an app's own. */
const ONCE: ReadonlySet<string> = new Set(['app-id', 'compose-hash', 'instance-id', 'os-image-hash', 'key-provider'])

/**
 * Reads what a guest measured of itself from the events of RTMR3; a text says why it cannot be taken. Names are the guest's until `system-ready`,
 * and anybody's in the guest afterwards. A pure function.
 */
export function readBootEvents(log: readonly LoggedEvent[]): BootFacts | string {
  const events = log.filter(({ imr }) => imr === 3)
  const names = events.map(({ name }) => name)
  const twice = names.find((name, index) => ONCE.has(name) && names.indexOf(name) !== index)
  if (twice !== undefined) return `the event ${twice} stands twice in it`
  const ready = names.indexOf('system-ready')
  const own = ready === -1 ? events : events.slice(0, ready + 1)
  const missing = REQUIRED.find((name) => !own.some((event) => event.name === name))
  if (missing !== undefined) return `the guest's own event ${missing} is missing`
  const places = own.map(({ name }) => (ORDER as readonly string[]).indexOf(name)).filter((place) => place !== -1)
  if (places.some((place, index) => index > 0 && place <= (places[index - 1] ?? 0))) return 'the guest’s own events stand in another order'
  return factsOf(own)
}

function factsOf(own: readonly LoggedEvent[]): BootFacts | string {
  const payload = (name: string): Buffer | undefined => own.find((event) => event.name === name)?.payload
  const appId = payload('app-id')
  const composeHash = Sha256.safeParse(payload('compose-hash')?.toString('hex'))
  const instanceId = payload('instance-id')
  const osImageHash = payload('os-image-hash')
  const keyProvider = payload('key-provider')
  if (appId?.length !== 20) return 'the event app-id holds no id of an app'
  if (!composeHash.success) return 'the event compose-hash holds no sha256'
  if (instanceId !== undefined && instanceId.length !== 20 && instanceId.length !== 0) return 'the event instance-id holds no id'
  const os = osImageHash === undefined ? null : Sha256.safeParse(osImageHash.toString('hex')).data
  if (os === undefined) return 'the event os-image-hash holds no sha256'
  return {
    appId: appId.toString('hex'),
    composeHash: composeHash.data,
    instanceId: instanceId === undefined || instanceId.length === 0 ? null : instanceId.toString('hex'),
    keyProvider: keyProvider === undefined ? null : (utf8Text(keyProvider) ?? null),
    osImageHash: os,
    events: own.findIndex(({ name }) => name === 'boot-mr-done') + 1,
  }
}
