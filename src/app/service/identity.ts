/** A job of a CI system, as the operator's rules know it. */
export type Identity = {
  readonly issuer: string
  /** Of the repository, and never given to another one: its name may be. */
  readonly subject: string
  readonly name: string
  /** URLs that it may be cloned from. */
  readonly repositories: readonly string[]
  readonly trusted: boolean
}

/** Who an identity token (a JWT) is of; undefined for one that does not count. Fails with `issuer-unreachable`. */
export type Identify = (token: string) => Promise<Identity | undefined>
