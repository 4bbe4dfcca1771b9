import type { GatewayUrl } from '../deploy/gateway-url.ts'
import type { AskedGuest } from '../gate/ask-gate.ts'
import type { Decision } from '../gate/decision.ts'

/** Certificate that the other end of a connection showed. */
export type PeerCertificate = {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** Whether an authority that this machine trusts issued it for the name that was asked. */
  readonly trusted: boolean
  /** The quote that it carries (dstack, ra-tls); `unread`: in a form that is not read here. */
  readonly quote: Uint8Array | 'unread' | null
}

/** `private`: its name leads to an address that is not of the public internet. */
export type Unanswered = 'unreachable' | 'private' | 'late' | 'too-large' | 'cut-short' | 'untrusted'

export type GuestAnswer =
  | { readonly status: number; readonly body: Uint8Array; readonly certificate: PeerCertificate | null }
  | { readonly status: null; readonly why: Unanswered; readonly certificate: PeerCertificate | null }

export type GuestQuestion = {
  readonly url: GatewayUrl
  /** With its query; in place of the URL's. */
  readonly path: string
  /** Posted as JSON; nothing: it is got. */
  readonly json?: unknown
  /** Of the body. */
  readonly maxBytes: number
}

/**
 * Asks a guest through its gateway. Redirects are answers and are never followed; only what is allowed to be a gateway is connected to, at public
 * addresses. Rejects with `gateway-not-listed`, and with the signal's reason; what came of the connection is a value.
 */
export type GuestDoor = { ask(question: GuestQuestion, signal: AbortSignal): Promise<GuestAnswer> }

export type QuoteCheck =
  | {
      readonly result: 'valid'
      readonly tcb: { readonly status: string; readonly advisories: readonly string[] }
      /** The machine, as dstack names it (sha256 of the platform's id); null where it is not known. */
      readonly deviceId: string | null
    }
  | { readonly result: 'refused'; readonly reason: string }
  /** It could not be found out. */
  | { readonly result: 'unable'; readonly reason: string }

/** Says whether the hardware signed a quote. */
export type QuoteVerifier = {
  /** Whether another key stands in for Intel's: what it says then proves nothing. */
  readonly simulated: boolean
  check(quote: Uint8Array, now: Date, signal: AbortSignal): Promise<QuoteCheck>
}

/** What a gate is asked about what runs. Nothing is known of a guest where its quote was not verified. */
export type GateQuestion = {
  readonly appCompose: Uint8Array
  readonly appId: string
  readonly guest: AskedGuest | null
}

export type InspectPorts = {
  readonly now: () => Date
  readonly guest: GuestDoor
  readonly quotes: QuoteVerifier
  /** The gate of a policy; null: no policy is at hand. */
  readonly gate: ((question: GateQuestion, signal: AbortSignal) => Promise<Decision>) | null
}
