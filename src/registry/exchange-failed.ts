import { AddressRefused } from '../../verifier/address/connect-only.ts'
import { Failure } from '../../verifier/model/failure.ts'

/** Why there was no answer. `not-tls`: what listens there does not speak TLS, or hung up while that was agreed on. */
export type Trouble = 'address-refused' | 'tls-untrusted' | 'not-tls' | 'not-http' | 'stalled' | 'unresolved' | 'lost'

/** A request without an answer, or a body without an end. Its message is ours: what other programs said stays out of it. */
export class ExchangeFailed extends Error {
  readonly trouble: Trouble

  constructor(trouble: Trouble) {
    super(`no answer: ${trouble}`)
    this.name = 'ExchangeFailed'
    this.trouble = trouble
  }
}

/** Node's words for certificates, which are OpenSSL's names without a prefix of their own. */
const UNTRUSTED = /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_|PATH_LENGTH_EXCEEDED)/

/** Failures of ours pass as they are: what a body was read from can fail as well. */
export function exchangeFailed(error: unknown): ExchangeFailed | Failure {
  if (error instanceof ExchangeFailed || error instanceof Failure) return error
  if (error instanceof AddressRefused) return new ExchangeFailed('address-refused')
  return new ExchangeFailed(troubleOf(error))
}

function troubleOf(error: unknown): Trouble {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (typeof code !== 'string') return 'lost'
  if (UNTRUSTED.test(code)) return 'tls-untrusted'
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return 'not-tls'
  if (code === 'ECONNRESET' && typeof message === 'string' && message.includes('before secure TLS connection')) return 'not-tls'
  if (code.startsWith('HPE_')) return 'not-http'
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'unresolved' : 'lost'
}
