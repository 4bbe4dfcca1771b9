import { Failure } from '../../verifier/model/failure.ts'
import { SCOPES, type Scope } from '../app/service/caller.ts'
import { MAX_TOKEN_DAYS, OperatorName } from '../app/service/operator-documents.ts'

/** A name that the operator gives. Fails with `name-malformed`. */
export function parseName(text: string): string {
  const name = OperatorName.safeParse(text)
  if (name.success) return name.data
  throw new Failure({
    code: 'name-malformed',
    message: 'not a name',
    hint: 'give letters, digits, `.`, `_`, `@` and `-`, and spaces between them; at most 64, the first a letter or digit',
  })
}

export const SCOPE_WORDS = `${SCOPES.slice(0, -1).join(', ')} or ${SCOPES.at(-1) ?? ''}`

/** Fails with `token-scope-unknown`. */
export function parseScope(text: string): Scope {
  const scope = SCOPES.find((one) => one === text)
  if (scope !== undefined) return scope
  throw new Failure({
    code: 'token-scope-unknown',
    message: 'there is no such scope',
    hint: `give ${SCOPE_WORDS}; for several, --scope again for each`,
  })
}

/** Fails with `token-days-malformed`. */
export function parseTokenDays(text: string): number {
  const days = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : Number.NaN
  if (days <= MAX_TOKEN_DAYS) return days
  throw new Failure({
    code: 'token-days-malformed',
    message: 'not a number of days that a token may last',
    hint: `give a whole number from 1 to ${MAX_TOKEN_DAYS}`,
  })
}
