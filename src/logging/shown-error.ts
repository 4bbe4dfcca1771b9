import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { Failure, firstFailure } from '../../verifier/model/failure.ts'

/** What a log says of something that was thrown. */
export type ShownError =
  | { readonly code: string; readonly retryable: boolean; readonly text?: string }
  /** Not ours: its text could be a stranger's, or hold a secret. `id` is new with each line. */
  | { readonly id: string; readonly class: string; readonly text?: string }

/** `debug`: with its own text, stack and causes, which may hold anything. */
export function shownError(thrown: unknown, debug: boolean): ShownError {
  const error = firstFailure(thrown)
  const text = debug ? { text: inspect(error) } : {}
  if (error instanceof Failure) return { code: shownCode(error.code), retryable: error.retryable, ...text }
  return { id: randomBytes(8).toString('hex'), class: classOf(error), ...text }
}

/** A code is a word of ours; what came over the network in its place is not. */
export function shownCode(code: string): string {
  return /^[a-z][a-z0-9-]{0,63}$/.test(code) ? code : 'malformed'
}

/** The name of the class as it is in code: the property `name` of an error can be set to anything. */
function classOf(error: unknown): string {
  try {
    if (typeof error !== 'object' || error === null) return typeof error
    const name: unknown = Object.getPrototypeOf(error)?.constructor?.name
    return typeof name === 'string' && /^[A-Za-z_$][\w$]{0,63}$/.test(name) ? name : 'object'
  } catch {
    return 'object'
  }
}
