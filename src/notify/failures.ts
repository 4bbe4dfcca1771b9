import { Failure } from '../../verifier/model/failure.ts'

const RECEIVER = 'look after the server that is to be told; it is tried again for about two days'

/** Why nobody was told. */
const REFUSALS = {
  'callback-url-refused': ['not a URL that callbacks go to', 'give https://HOST/PATH, without user name and password'],
  'callback-host-private': ['the host has an address that is not public', 'give a host of the public internet'],
  'callback-gone': ['the receiver wants no more of it (HTTP 410)', 'name another callback URL with the next submission'],
  'callback-redirected': ['the receiver sends elsewhere, and no redirect is followed', 'give the URL that it has now'],
  'callback-refused': ['the receiver refused it', RECEIVER],
  'callback-failed': ['the receiver failed, or could not be reached', RECEIVER],
  'callback-timeout': ['the receiver did not answer in time', RECEIVER],
} as const

export type CallbackFailureCode = keyof typeof REFUSALS

/** What another try will not get over. */
const FOR_GOOD: readonly CallbackFailureCode[] = ['callback-url-refused', 'callback-host-private', 'callback-gone']

/** Nothing that a server said goes into it but the number of its answer. */
export function callbackFailure(code: CallbackFailureCode, status: number | null = null): Failure {
  const [message, hint] = REFUSALS[code]
  return new Failure({ code, message, hint, data: { status }, retryable: !FOR_GOOD.includes(code) })
}
