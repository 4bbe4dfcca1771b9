import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { Page, PageRequest } from './page.ts'
import type { Owner, Token } from './records.ts'

export interface Owners {
  /** The owner of this issuer and subject, made where there is none. It has the name that is given last: repositories are renamed. */
  ensure(owner: Owner): Promise<Owner>
  find(id: string): Promise<Owner | undefined>
  /** Lets nobody else hold this owner until the transaction ends: what is counted of them then stays so. */
  hold(id: string): Promise<void>
  withSubject(issuer: string, subject: string): Promise<Owner | undefined>
  /** Those of these ids, in any order; at most a page of them. */
  among(ids: readonly string[]): Promise<readonly Owner[]>
  page(request: PageRequest): Promise<Page<Owner>>
}

export interface Tokens {
  insert(token: Token, secretDigest: Sha256): Promise<void>
  /** The token with this secret unless it is revoked or has expired, and whose it is. */
  withSecret(secretDigest: Sha256, now: Date): Promise<{ readonly token: Token; readonly owner: Owner } | undefined>
  /** Notes that it was used, unless that was noted since `since`. */
  used(id: string, o: { now: Date; since: Date }): Promise<void>
  /** The token, revoked now or before; undefined where there is none. */
  revoke(id: string, now: Date): Promise<Token | undefined>
  page(request: PageRequest): Promise<Page<Token>>
}
