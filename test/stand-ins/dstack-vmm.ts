import type { ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { EnvironmentKey } from './environment-key.ts'
import { listenFor, type StandInServer } from './listen.ts'
import { boot, type Configuration, type Guest, type GuestScript, IMAGES, type Kms, newGuest, sha256, shown } from './vmm-guests.ts'
import { answerWrongly, isDone, type WrongAnswer } from './wrong-answers.ts'

export type VmmOptions = {
  readonly script?: GuestScript
  /** Null: guests get their keys from nobody who asks. */
  readonly kms?: Kms | null
  /** Whom it lets in; null: anybody. */
  readonly token?: string | null
  /** Domain of the gateway, with its port where that is not 443; null: guests have none. */
  readonly gateway?: string | null
  readonly socket?: string
  /** A guest has booted. */
  readonly onBoot?: (guest: Guest) => Promise<void> | void
}

type Body = { readonly [key: string]: unknown; readonly id?: string }
type Env = { Bindings: { readonly outgoing: ServerResponse } }

/**
 * Stands in for dstack-vmm: its RPCs in JSON, as vmm/rpc/proto/vmm_rpc.proto has them and its own client calls them, with guests that are records.
 * It can go wrong in every way that a caller has to withstand.
 */
export class DstackVmmStandIn implements AsyncDisposable {
  readonly guests: Guest[] = []
  /** Methods in the order in which they were called. */
  readonly calls: { readonly method: string; readonly body: Body; readonly authorization: string | null }[] = []
  script: GuestScript
  kms: Kms | null
  /** Hears each call before it is answered. */
  onCall: (method: string) => void = () => {}
  readonly #o: VmmOptions
  readonly #wrong = new Map<string, WrongAnswer[]>()
  readonly #keys = new Map<string, EnvironmentKey>()
  #server: StandInServer | undefined
  #booting: Promise<void> = Promise.resolve()

  private constructor(o: VmmOptions) {
    this.#o = o
    this.script = o.script ?? {}
    this.kms = o.kms ?? null
  }

  static async start(o: VmmOptions = {}): Promise<DstackVmmStandIn> {
    const vmm = new DstackVmmStandIn(o)
    const app = new Hono<Env>()
    app.post('/prpc/:method', async (c) => await vmm.#answer(c))
    vmm.#server = await listenFor(app.fetch, o.socket === undefined ? {} : { socket: o.socket })
    return vmm
  }

  get url(): URL {
    if (this.#server === undefined) throw new Error('it does not listen')
    return this.#server.url
  }

  get everStarted(): number {
    return this.guests.reduce((sum, { starts }) => sum + starts, 0)
  }

  /** Guests that are there. */
  get present(): readonly Guest[] {
    return this.guests.filter(({ status }) => status !== 'removing')
  }

  /** The next calls of a method go wrong. */
  failNext(method: string, ...wrong: readonly WrongAnswer[]): void {
    this.#wrong.set(method, [...(this.#wrong.get(method) ?? []), ...wrong])
  }

  called(method: string): readonly Body[] {
    return this.calls.filter((call) => call.method === method).map(({ body }) => body)
  }

  envKey(appId: string): EnvironmentKey {
    const made = this.#keys.get(appId) ?? new EnvironmentKey()
    this.#keys.set(appId, made)
    return made
  }

  /** Resolves once nothing boots any more. */
  async booted(): Promise<void> {
    await this.#booting
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#booting
    await this.#server?.[Symbol.asyncDispose]()
  }

  async #answer(c: Context<Env>): Promise<Response> {
    const method = c.req.param('method') ?? ''
    if (!this.#letsIn(c)) return c.text('Unauthorized', 401, { 'www-authenticate': 'Basic realm="dstack-vmm"' })
    const body = (await c.req.json()) as Body
    this.calls.push({ method, body, authorization: c.req.header('authorization') ?? null })
    this.onCall(method)
    const wrong = this.#wrong.get(method)?.shift()
    if (wrong !== undefined && !isDone(wrong)) return wrongly(c, wrong)
    try {
      const answer = await this.#do(method, body)
      return wrong === undefined ? c.json(answer) : wrongly(c, wrong)
    } catch (error) {
      return c.json({ error: error instanceof Error ? error.message : 'failed' }, 400)
    }
  }

  #letsIn(c: Context<Env>): boolean {
    const token = this.#o.token ?? null
    if (token === null) return true
    const basic = `Basic ${Buffer.from(`admin:${token}`).toString('base64')}`
    const said = c.req.header('authorization')
    return said === `Bearer ${token}` || said === basic || c.req.header('x-admin-token') === token
  }

  async #do(method: string, body: Body): Promise<object | null> {
    switch (method) {
      case 'CreateVm':
        return { id: this.#create(body as Configuration) }
      case 'GetComposeHash':
        JSON.parse(String(body['compose_file']))
        return { hash: this.script.hash ?? sha256(String(body['compose_file'])) }
      case 'GetInfo': {
        const guest = this.guests.find(({ id, status }) => id === body.id && status !== 'removing')
        return guest === undefined ? { found: false } : { found: true, info: shown(guest, this.#o.gateway ?? null, false) }
      }
      case 'Status':
        return this.#status(body)
      case 'ListImages':
        return { images: (this.script.images ?? IMAGES).map((image) => ({ ...image, description: '{}', version: '0.6.0' })) }
      case 'GetMeta':
        return {
          kms: { url: '', urls: [] },
          gateway: { url: '', base_domain: this.#o.gateway ?? '', port: 443, agent_port: 8090, urls: [] },
        }
      case 'GetAppEnvEncryptPubKey':
        return { public_key: this.envKey(String(body['app_id'])).published, signature: '', timestamp: 0, signature_v1: '' }
      case 'UpdateVm':
        return this.#update(body)
      case 'StartVm':
        return this.#start(this.#guest(body))
      case 'StopVm':
      case 'ShutdownVm':
        this.#guest(body).status = 'stopped'
        return null
      case 'RemoveVm':
        this.#guest(body).status = 'removing'
        return null
      default:
        throw new Error(`Unknown method: ${method}`)
    }
  }

  #create(told: Configuration): string {
    if (!/^[A-Za-z0-9 ._@~!$^()-]*$/.test(told.name)) throw new Error(`Invalid name: ${told.name}`)
    JSON.parse(told.compose_file)
    if (!(this.script.images ?? IMAGES).some(({ name }) => name === told.image)) throw new Error('Failed to load VM')
    const guest = newGuest(this.script.keeps?.(told) ?? told)
    this.guests.push(guest)
    if (told.stopped !== true || this.script.startsAtOnce === true) this.#start(guest)
    return guest.id
  }

  #update({ id, ...change }: Body): object {
    const guest = this.#guest(id === undefined ? {} : { id })
    const sent = Object.entries(change).filter(([, value]) => value !== '' && value !== false)
    guest.configuration = { ...guest.configuration, ...Object.fromEntries(sent) }
    return { id: change['compose_file'] === '' ? '' : sha256(guest.configuration.compose_file).slice(0, 40) }
  }

  #start(guest: Guest): null {
    if (guest.status === 'running') return null
    guest.starts += 1
    guest.status = 'running'
    this.#booting = this.#booting.then(async () => {
      await boot(guest, this.script, this.kms)
      if (guest.bootProgress === 'done') await this.#o.onBoot?.(guest)
    })
    return null
  }

  #status({ keyword = '', brief, page = 0, page_size: size = 0, ids = [] }: Body): object {
    const asked = ids as readonly string[]
    const all = this.present.filter(({ id, configuration: { name }, appId }) =>
      asked.length > 0 ? asked.includes(id) : [name, id, appId].some((text) => text.includes(String(keyword))),
    )
    const first = Number(page) === 0 || Number(size) === 0 ? 0 : (Number(page) - 1) * Number(size)
    const vms = all.slice(first, Number(size) === 0 ? undefined : first + Number(size))
    return {
      vms: vms.map((guest) => shown(guest, this.#o.gateway ?? null, brief === true)),
      port_mapping_enabled: false,
      total: all.length,
    }
  }

  #guest({ id }: Body): Guest {
    const guest = this.guests.find((one) => one.id === id && one.status !== 'removing')
    if (guest === undefined) throw new Error('VM not found')
    return guest
  }
}

function wrongly(c: Context<Env>, wrong: WrongAnswer): Response {
  answerWrongly(wrong, c.env.outgoing)
  return RESPONSE_ALREADY_SENT
}
