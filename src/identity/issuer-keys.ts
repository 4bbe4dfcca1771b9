import { createLocalJWKSet, errors, type JWSHeaderParameters, type JWTHeaderParameters } from 'jose'
import { z } from 'zod'
import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'

/** Fetches a document of an issuer, by https and from where the operator allows. Rejects with anything. */
export type FetchDocument = (url: string) => Promise<Uint8Array>

type Keys = { readonly get: ReturnType<typeof createLocalJWKSet>; readonly at: number }

type Key = Awaited<ReturnType<Keys['get']>>

/** OpenID Connect Discovery 1.0 §3: of all that is in it, where the keys are. */
const Discovery = z.object({ issuer: z.string().max(2048), jwks_uri: z.string().max(2048) })
/** RFC 7517 §5. */
const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string().max(16) })).max(64) })
const LIMITS = { maxBytes: 256 * 1024, maxDepth: 8 }

/** Keys are asked for again after ten minutes, and count for an hour where the issuer does not answer. */
const FRESH_MS = 600_000
const LAST_MS = 3_600_000
/** However many tokens name a key that nobody knows, or come while the issuer is down. */
const COOLDOWN_MS = 30_000

/** The keys of one issuer, as they are published. */
export class IssuerKeys {
  readonly #issuer: string
  readonly #fetch: FetchDocument
  readonly #now: () => number
  #keys: Keys | undefined
  #askedAt = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  /** `now`: milliseconds. */
  constructor({ issuer, fetch, now }: { readonly issuer: string; readonly fetch: FetchDocument; readonly now: () => number }) {
    this.#issuer = issuer
    this.#fetch = fetch
    this.#now = now
  }

  /** The key that a header names; undefined where there is none. Fails with `issuer-unreachable` where no keys are known. */
  async keyFor(header: JWTHeaderParameters & JWSHeaderParameters): Promise<Key | undefined> {
    if (this.#age() >= FRESH_MS) await this.#ask()
    const found = await this.#find(header)
    if (found !== undefined) return found
    // Issuers bring in new keys at any time.
    await this.#ask()
    return await this.#find(header)
  }

  #age(): number {
    return this.#keys === undefined ? Number.POSITIVE_INFINITY : this.#now() - this.#keys.at
  }

  async #find(header: JWTHeaderParameters & JWSHeaderParameters): Promise<Key | undefined> {
    if (this.#keys === undefined || this.#age() >= LAST_MS) throw unreachable()
    try {
      return await this.#keys.get(header)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined
      throw error
    }
  }

  /** One question for all who wait. An answer that is none leaves what was known. */
  async #ask(): Promise<void> {
    if (this.#asking === undefined) {
      if (this.#now() - this.#askedAt < COOLDOWN_MS) return
      this.#askedAt = this.#now()
      this.#asking = this.#load()
        .catch(() => {})
        .finally(() => {
          this.#asking = undefined
        })
    }
    await this.#asking
  }

  async #load(): Promise<void> {
    const discovery = Discovery.parse(parseStrictJson(await this.#fetch(`${this.#issuer}/.well-known/openid-configuration`), LIMITS))
    // Where the issuer is, its keys are: nobody it names speaks for it.
    if (discovery.issuer !== this.#issuer || URL.parse(discovery.jwks_uri)?.origin !== new URL(this.#issuer).origin) throw unreachable()
    const { keys } = KeySet.parse(parseStrictJson(await this.#fetch(discovery.jwks_uri), LIMITS))
    this.#keys = { get: createLocalJWKSet({ keys }), at: this.#now() }
  }
}

function unreachable(): Failure {
  return new Failure({
    code: 'issuer-unreachable',
    message: 'the keys of the issuer of the token cannot be had now',
    hint: 'try again in a minute; if it stays so, the operator has to look whether the issuer answers this service',
    retryable: true,
  })
}
