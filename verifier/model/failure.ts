/** Who can do something about a failure: the caller sees code, message and hint; an operator's failure shows only its code elsewhere. */
export type Audience = 'caller' | 'operator'

export type FailureOptions = {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly audience?: Audience
  /** Facts for machines; never a secret, never a third party's text. */
  readonly data?: Readonly<Record<string, unknown>>
  readonly retryable?: boolean
  readonly cause?: unknown
}

/**
 * The one base of every failure that a user can meet. A failure is what stopped us from finding out; a mismatch is a value.
 * `code` is stable and listed in docs/errors.md; the hint says what to do.
 */
export class Failure extends Error {
  readonly code: string
  readonly hint: string
  readonly audience: Audience
  readonly data: Readonly<Record<string, unknown>>
  readonly retryable: boolean

  constructor(options: FailureOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = options.code
    this.hint = options.hint
    this.audience = options.audience ?? 'caller'
    this.data = options.data ?? {}
    this.retryable = options.retryable ?? false
  }
}

/** What stopped us first. Where cleaning up fails as well, `using` wraps both: the second failure says nothing about the first. */
export function firstFailure(error: unknown): unknown {
  let first = error
  while (first instanceof SuppressedError) first = first.suppressed
  return first
}
