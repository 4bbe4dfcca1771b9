import { digestOf } from '../../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../../verifier/model/digest.ts'
import { Failure } from '../../../../verifier/model/failure.ts'
import type { DeployTarget, Ordered } from '../deploy-target.ts'
import type { GuestState, Offer } from '../deployment.ts'

/** How a target behaves; whatever is not said goes well. */
export type TargetScript = {
  /** What it measures in place of the bytes that were ordered. */
  readonly measures?: Uint8Array
  /** Whether it shows those bytes before they run. */
  readonly shows?: boolean
  /** What the guest attests in place of what was measured; null: nothing, ever. */
  readonly attests?: Uint8Array | null
  readonly appId?: string
  readonly osImageHash?: Sha256
  readonly needs?: DeployTarget['needs']
  /** Its guests end up so. */
  readonly becomes?: GuestState['status']
  /** Calls, by their number from 0, that fail and may go well another time. */
  readonly fails?: ReadonlySet<number>
}

type Guest = { status: GuestState['status'] | 'removed'; readonly withEnvironment: boolean }

/** A target in memory that counts what it was asked to start, and fails where it is told to, before or after it did as asked. */
export class ScriptedTarget implements DeployTarget {
  readonly kind = 'dstack-vmm'
  readonly needs: NonNullable<DeployTarget['needs']>
  readonly guests: Guest[] = []
  readonly #script: TargetScript
  #calls = 0
  #measured: Uint8Array = new Uint8Array()

  constructor(script: TargetScript = {}) {
    this.#script = script
    this.needs = script.needs ?? []
  }

  get everStarted(): number {
    return this.guests.length
  }

  get running(): number {
    return this.guests.filter(({ status }) => status === 'starting' || status === 'running').length
  }

  async offer({ appCompose }: Ordered): Promise<{ offer: Offer; appCompose: Uint8Array | null }> {
    return await this.#called(() => {
      const measured = this.#script.measures ?? appCompose
      this.#measured = measured
      const known = this.#script.measures === undefined || this.#script.shows === true
      const composeHash = digestOf(measured)
      const { appId = composeHash.slice(0, 40) } = this.#script
      const offer = {
        composeHash,
        appCompose: known ? composeHash : null,
        appId,
        osImageHash: this.#script.osImageHash ?? null,
        deviceId: null,
        envKey: null,
        handle: {},
      }
      return { offer, appCompose: known ? measured : null }
    })
  }

  async commit({ environment }: Parameters<DeployTarget['commit']>[0]): Promise<string> {
    return await this.#called(() => {
      this.guests.push({ status: 'starting', withEnvironment: environment !== null })
      return String(this.guests.length - 1)
    })
  }

  async find(): Promise<string | undefined> {
    return await this.#called(() => (this.guests.length === 0 ? undefined : String(this.guests.length - 1)))
  }

  async state(guest: string): Promise<GuestState> {
    return await this.#called(() => {
      const one = this.#guest(guest)
      const status = one.status === 'removed' ? 'stopped' : one.status
      if (one.status === 'starting') one.status = this.#script.becomes ?? 'running'
      return { status, appId: this.#script.appId ?? null, instanceId: null, gatewayDomain: 'gateway.example', gatewayPort: 443 }
    })
  }

  async attested(guest: string): Promise<Uint8Array | undefined> {
    return await this.#called(() =>
      this.#guest(guest).status === 'starting' || this.#script.attests === null ? undefined : (this.#script.attests ?? this.#measured),
    )
  }

  async stop(guest: string): Promise<void> {
    await this.#called(() => {
      this.#guest(guest).status = 'removed'
    })
  }

  async withdraw(): Promise<void> {
    await this.#called(() => {})
  }

  #guest(name: string): Guest {
    const guest = this.guests[Number(name)]
    if (guest === undefined) throw new Error(`there is no guest ${name}`)
    return guest
  }

  /** Even numbers fail before anything was done, odd ones after it: the answer is lost then. */
  async #called<T>(act: () => T): Promise<T> {
    await Promise.resolve()
    const call = this.#calls++
    const fails = this.#script.fails?.has(call) === true
    if (fails && call % 2 === 0) throw lost()
    const answer = act()
    if (fails) throw lost()
    return answer
  }
}

function lost(): Failure {
  return new Failure({ code: 'target-unreachable', message: 'no answer', hint: 'try again', retryable: true })
}
