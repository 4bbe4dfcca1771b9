import { Failure } from '../../../verifier/model/failure.ts'
import type { Owner } from '../store/records.ts'

/** What a caller's token is good for. Reading needs none. */
export const SCOPES = ['submit', 'cancel', 'admit', 'deploy'] as const
/** Of a token for which nobody names any. */
export const DEFAULT_SCOPES: readonly Scope[] = ['submit', 'cancel']
export type Scope = (typeof SCOPES)[number]

/** Whoever sent a request, as authenticated. */
export type Caller = {
  readonly owner: Owner
  /** Words that are no `Scope` mean nothing here. */
  readonly scopes: readonly string[]
  /** Repositories that submissions may be of, as URLs, each with and without `.git` where its host serves both; null: any source. */
  readonly repositories: readonly string[] | null
  /** Whether the operator vouches for the owner: only for such sources may a worker inside of a coordinator build. */
  readonly trusted: boolean
}

/**
 * Who sends this `Authorization` header. Null, where there is none, fails with `credentials-missing`; whatever else does not count fails with
 * `token-invalid`, in the same words whatever the reason, and an issuer of identity tokens that does not answer with `issuer-unreachable`.
 */
export type Authenticate = (header: string | null) => Promise<Caller>

/** Fails with `scope-missing`. */
export function requireScope({ scopes }: Caller, scope: Scope): void {
  if (scopes.includes(scope)) return
  throw new Failure({
    code: 'scope-missing',
    message: `this token is not good for ${scope}`,
    hint: `ask for a token with the scope ${scope}`,
  })
}
