import { createHash, randomUUID } from 'node:crypto'
import { EnvironmentKey } from './environment-key.ts'
import { phalaAppCompose, STAND_IN_SCRIPT, type ToldCompose } from './phala-app-compose.ts'

export const hex = (text: string, digits = 64): string => createHash('sha256').update(text).digest('hex').slice(0, digits)

export const OS_IMAGE_HASH = hex('os image')

export type PhalaGuest = {
  /** What a guest says of itself; put over what the stand-in makes up. */
  readonly tcbInfo?: Readonly<Record<string, unknown>>
  readonly quote?: string
  stop(): Promise<void>
}
export type PhalaGuestStart = {
  readonly appId: string
  readonly instanceId: string
  readonly name: string
  readonly osImageHash: string
  /** Exact bytes, as a text. */
  readonly appCompose: string
  readonly environment: readonly { readonly key: string; readonly value: string }[]
}

export type PhalaWorldOptions = {
  /** In place of every app-compose that is made; what is hashed is what it gives. */
  readonly makes?: (appCompose: string) => string
  /** What guests attest in place of what was provisioned. */
  readonly attests?: (appCompose: string) => string
  /** Null: none is put in. */
  readonly script?: string | null
  /** What becomes of guests: each look at one takes it a step further. */
  readonly becomes?: 'running' | 'boot-error' | 'starting' | 'stopped'
  /** Domain of the gateway that guests are behind. */
  readonly gateway?: string
  readonly startGuest?: (o: PhalaGuestStart) => Promise<PhalaGuest>
}

const BASE_DOMAIN = 'stand-in.phala.test'

type Provision = {
  readonly appId: string | null
  readonly appCompose: string
  readonly name: string
  readonly kms: string
  readonly instanceType: string
}

export class PhalaCvm {
  readonly vmUuid = randomUUID()
  readonly instanceId: string
  readonly createdAt = new Date().toISOString()
  status = 'creating'
  bootError: string | null = null
  guest: PhalaGuest | null = null
  readonly number: number
  /** Domain of its gateway. */
  readonly gateway: string
  provision: Provision
  readonly appId: string
  /** What its guest decrypted. */
  readonly environment: readonly { readonly key: string; readonly value: string }[]

  constructor(o: Pick<PhalaCvm, 'number' | 'gateway' | 'provision' | 'appId' | 'environment'>) {
    this.number = o.number
    this.gateway = o.gateway
    this.provision = o.provision
    this.appId = o.appId
    this.environment = o.environment
    this.instanceId = hex(`instance ${o.number}`, 40)
  }
}

/** What there is at a Phala Cloud: what was provisioned, what runs, and the keys of apps. */
export class PhalaWorld {
  readonly cvms: PhalaCvm[] = []
  /** Every CVM that was ever started, also where it is gone. */
  everStarted = 0
  readonly options: PhalaWorldOptions
  readonly #provisions = new Map<string, Provision>()
  readonly #keys = new Map<string, EnvironmentKey>()
  #nonce = 0

  constructor(options: PhalaWorldOptions) {
    this.options = options
  }

  keyOf(appId: string): EnvironmentKey {
    const key = this.#keys.get(appId) ?? new EnvironmentKey()
    this.#keys.set(appId, key)
    return key
  }

  nextAppIds(count: number): { app_id: string; nonce: number }[] {
    return Array.from({ length: count }, (_, index) => ({ app_id: hex(`app ${this.#nonce + index}`, 40), nonce: this.#nonce + index }))
  }

  /** Makes the bytes, keeps them by their hash, and says nothing of them but that. */
  provision(o: {
    name: string
    compose: ToldCompose
    kms: string
    appId: string | null
    instanceType: string
  }): Provision & { composeHash: string } {
    const { script = STAND_IN_SCRIPT, makes = (text: string) => text } = this.options
    const appCompose = makes(phalaAppCompose(o.compose, { name: o.name, script }))
    const appId = o.appId ?? (o.kms === 'PHALA' ? (this.nextAppIds(1)[0]?.app_id ?? null) : null)
    const provision = { appId, appCompose, name: o.name, kms: o.kms, instanceType: o.instanceType }
    const composeHash = hex(appCompose)
    this.#provisions.set(`${appId} ${composeHash}`, provision)
    this.#nonce += 1
    return { ...provision, composeHash }
  }

  /** Where a contract gives the app id, it is told at the commit alone. */
  provisioned(appId: string, composeHash: string): Provision | undefined {
    const hash = composeHash.replace(/^0x/, '')
    return this.#provisions.get(`${appId} ${hash}`) ?? this.#provisions.get(`null ${hash}`)
  }

  /** Throws where the environment is not readable. */
  async commit(o: { appId: string; provision: Provision; encrypted: string | null }): Promise<PhalaCvm> {
    const { appCompose } = o.provision
    const allowed = (JSON.parse(appCompose) as { allowed_envs: string[] }).allowed_envs
    const sent = o.encrypted === null ? [] : this.keyOf(o.appId).open(o.encrypted)
    const environment = sent.filter(({ key }) => allowed.includes(key))
    const cvm = new PhalaCvm({
      number: ++this.everStarted,
      gateway: this.options.gateway ?? BASE_DOMAIN,
      provision: o.provision,
      appId: o.appId,
      environment,
    })
    this.cvms.push(cvm)
    cvm.guest =
      (await this.options.startGuest?.({
        appId: o.appId,
        instanceId: cvm.instanceId,
        name: o.provision.name,
        osImageHash: OS_IMAGE_HASH,
        appCompose,
        environment,
      })) ?? null
    return cvm
  }

  update(cvm: PhalaCvm, appCompose: string): void {
    cvm.provision = { ...cvm.provision, appCompose }
    cvm.status = 'starting'
  }

  /** By uuid without dashes, `app_…`, `instance_…`, name, or the id of lists. */
  find(id: string): PhalaCvm[] {
    return this.cvms.filter((cvm) =>
      [
        cvm.vmUuid,
        cvm.vmUuid.replaceAll('-', ''),
        `app_${cvm.appId}`,
        `instance_${cvm.instanceId}`,
        cvm.provision.name,
        `cvm_${cvm.number}`,
      ].includes(id),
    )
  }

  /** A look takes a guest one step further: nothing here waits. */
  step(cvm: PhalaCvm): void {
    const { becomes = 'running' } = this.options
    if (cvm.status === 'creating') cvm.status = 'starting'
    else if (cvm.status === 'starting' && becomes === 'boot-error') cvm.bootError = 'Boot denied: not allowed'
    else if (cvm.status === 'starting') cvm.status = becomes === 'boot-error' ? cvm.status : becomes
    else if (cvm.status === 'stopping') cvm.status = 'stopped'
  }

  async end(cvm: PhalaCvm, how: 'stop' | 'remove'): Promise<void> {
    await cvm.guest?.stop()
    cvm.guest = null
    cvm.status = 'stopping'
    if (how === 'remove') this.cvms.splice(this.cvms.indexOf(cvm), 1)
  }

  attested({ provision: { appCompose } }: PhalaCvm): string {
    return this.options.attests?.(appCompose) ?? appCompose
  }
}
