import { createHash, randomBytes, randomUUID } from 'node:crypto'

/** A guest as the VMM is told of it; values that are not sent are absent. */
export type Configuration = {
  readonly name: string
  readonly image: string
  readonly compose_file: string
  readonly app_id?: string | null
  readonly stopped?: boolean
  readonly no_tee?: boolean
  readonly encrypted_env?: string
  readonly [key: string]: unknown
}

export type GuestStatus = 'running' | 'exited' | 'stopped' | 'removing'

export type Guest = {
  readonly id: string
  configuration: Configuration
  readonly appId: string
  status: GuestStatus
  instanceId: string
  bootProgress: string
  bootError: string
  /** How often it was started. */
  starts: number
}

/** What happens to guests that are otherwise well. */
export type GuestScript = {
  /** What `GetComposeHash` says in place of the truth. */
  readonly hash?: string
  /** It starts what it was told to keep stopped. */
  readonly startsAtOnce?: boolean
  /** What it keeps of what it was told. */
  readonly keeps?: (told: Configuration) => Configuration
  /** Guests end up with this error. */
  readonly bootError?: string
  /** Guests get no further than to the beginning. */
  readonly hangs?: boolean
  /** Guests end by themselves once they run. */
  readonly exits?: boolean
  readonly images?: readonly { readonly name: string; readonly is_dev: boolean }[]
}

/** A KMS that asks a webhook before it gives keys, as it would post of this guest beside what the guest itself is. */
export type Kms = { readonly webhook: URL; readonly says: Readonly<Record<string, unknown>> }

export const IMAGE = 'dstack-0.6.0'
export const DEV_IMAGE = 'dstack-dev-0.6.0'
export const IMAGES = [
  { name: IMAGE, is_dev: false },
  { name: DEV_IMAGE, is_dev: true },
]

export function newGuest(told: Configuration): Guest {
  const appId = told.app_id?.replace(/^0x/, '').toLowerCase() ?? sha256(told.compose_file).slice(0, 40)
  return {
    id: randomUUID(),
    configuration: told,
    appId,
    status: 'stopped',
    instanceId: '',
    bootProgress: '',
    bootError: '',
    starts: 0,
  }
}

/** Boots a guest: it gets its keys, if a KMS lets it have them, and runs its containers. */
export async function boot(guest: Guest, { bootError, hangs, exits }: GuestScript, kms: Kms | null): Promise<void> {
  guest.status = 'running'
  guest.bootProgress = 'booting'
  guest.bootError = ''
  guest.instanceId = randomBytes(20).toString('hex')
  if (hangs === true) return
  guest.bootProgress = 'requesting app keys'
  const denied = kms === null ? undefined : await askKms(guest, kms)
  if (denied !== undefined || bootError !== undefined) guest.bootError = denied ?? bootError ?? ''
  else if (exits === true) guest.status = 'exited'
  else guest.bootProgress = 'done'
}

/** The error of a guest whose keys are denied; undefined: it gets them. */
async function askKms({ appId, configuration, instanceId }: Guest, { webhook, says }: Kms): Promise<string | undefined> {
  const body = JSON.stringify({ ...says, appId, composeHash: sha256(configuration.compose_file), instanceId })
  const url = new URL('bootAuth/app', webhook)
  const headers = { 'content-type': 'application/json', 'user-agent': 'dstack-kms/0.6.0' }
  const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined)
  if (answer === undefined) return 'Boot denied: auth api does not answer'
  if (!answer.ok) return `Boot denied: auth api answered ${answer.status}`
  const { isAllowed, reason } = (await answer.json()) as { isAllowed: boolean; reason: string }
  return isAllowed ? undefined : `Boot denied: ${reason}`
}

/** As `GetInfo` and `Status` show it. */
export function shown(guest: Guest, gateway: string | null, brief: boolean): Record<string, unknown> {
  const { id, configuration, status, appId, instanceId, bootProgress, bootError } = guest
  return {
    id,
    name: configuration.name,
    status,
    uptime: '3s',
    ...(gateway === null || instanceId === '' ? {} : { app_url: `https://${instanceId}-8090.${gateway}` }),
    app_id: appId,
    ...(instanceId === '' ? {} : { instance_id: instanceId }),
    ...(brief
      ? {}
      : { configuration: { ...configuration, app_id: appId, stopped: status === 'stopped', gpus: { gpus: [], attach_mode: 'listed' } } }),
    exited_at: 'never',
    boot_progress: bootProgress,
    boot_error: bootError,
    shutdown_progress: '',
    image_version: '0.6.0',
    events: [{ event: 'boot.progress', body: bootProgress, timestamp: 1_790_000_000_000 }],
    interfaces: [],
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
