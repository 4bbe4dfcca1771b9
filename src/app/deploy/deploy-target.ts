import type { DeployOrder, GuestState, Offer } from './deployment.ts'

/** Environment of an app, in the order of its names. Its values are secrets: they are in no journal, log or error. */
export type AppEnvironment = readonly { readonly name: string; readonly value: string }[]

export type Ordered = {
  readonly order: DeployOrder
  /** The exact bytes of the order's app-compose. */
  readonly appCompose: Uint8Array
  /** Names of the environment that will come with it. */
  readonly envNames: readonly string[]
}

/** What `offer` gives: the bytes that will be measured come with it, where they are known. */
export type Offered = { readonly offer: Offer; readonly appCompose: Uint8Array | null }

/**
 * Where guests run. Every method may be called again after a crash, and what it answers is the answer to the first call: nothing is made twice.
 * What the other side says is hostile; failures carry codes of ours (`target-…`), `retryable` where it may pass, and never a text of theirs.
 */
export interface DeployTarget {
  readonly kind: 'phala-cloud' | 'dstack-vmm'
  /** Options without which it takes no order; none if not said. */
  readonly needs?: readonly (keyof DeployOrder['options'])[]
  /** Says what would be measured. Nothing runs after it, though something may lie there, stopped. */
  offer(ordered: Ordered, signal: AbortSignal): Promise<Offered>
  /** Starts what was offered, or finds that it was started; gives the guest's name. `environment` null: without any. */
  commit(
    o: { readonly ordered: Ordered; readonly offer: Offer; readonly environment: AppEnvironment | null },
    signal: AbortSignal,
  ): Promise<string>
  /** What `commit` started, if it did; undefined: it did not. */
  find(o: { readonly ordered: Ordered; readonly offer: Offer }, signal: AbortSignal): Promise<string | undefined>
  state(guest: string, signal: AbortSignal): Promise<GuestState>
  /** The bytes of the app-compose that the guest runs, as it attests them; undefined: it has not said yet. */
  attested(guest: string, signal: AbortSignal): Promise<Uint8Array | undefined>
  /** Stops a guest for good; resolves where it is stopped already or gone. */
  stop(guest: string, signal: AbortSignal): Promise<void>
  /** Takes back what an offer left lying there; resolves where there is nothing. */
  withdraw(o: { readonly ordered: Ordered; readonly offer: Offer }, signal: AbortSignal): Promise<void>
}
