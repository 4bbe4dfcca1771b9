import type { z } from 'zod'
import { askServer, type Patience } from '../../attestations/sign/http-answer.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { Secret } from '../../verifier/model/secret.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { phalaRefusal } from './phala-refusal.ts'
import { targetFailure } from './target-failure.ts'

export type PhalaApiOptions = {
  /** Where the API lies, its version in the path included; https, or a host of this machine. */
  readonly prefix: URL
  readonly key: Secret
  /** Of one request, from the connection to the last byte; ms. */
  readonly timeout?: number
}

/** Of the API; the newest that the client of Phala Cloud knows. */
const VERSION = '2026-01-21'
/** An attestation holds an event log, certificates with quotes, and the app-compose. */
const LIMITS = { maxBytes: 4 << 20, maxDepth: 32 }
const HERE: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

type Read<S extends z.ZodType> = { readonly path: string; readonly schema: S; readonly signal: AbortSignal }

/**
 * The HTTP API of Phala Cloud, as far as a deployment needs it: no redirect is followed, since the key goes with each request; nothing is asked
 * again by itself; answers are bounded in bytes, depth and time, and keys that nobody here knows are passed over.
 */
export class PhalaApi {
  readonly #prefix: string
  readonly #key: Secret
  readonly #patience: Patience

  /** Throws `target-address-plain`. */
  constructor({ prefix, key, timeout = 30_000 }: PhalaApiOptions) {
    if (prefix.protocol !== 'https:' && !(prefix.protocol === 'http:' && HERE.includes(prefix.hostname)))
      throw targetFailure('target-address-plain')
    this.#prefix = prefix.href.replace(/\/+$/, '')
    this.#key = key
    this.#patience = { timeout, retries: 0, retryDelay: 0 }
  }

  /** Undefined: there is no such thing. */
  async find<S extends z.ZodType>(o: Read<S>): Promise<z.infer<S> | undefined> {
    const answer = await this.#ask({ ...o, method: 'GET' })
    return answer.status === 404 ? undefined : read(answer, o.schema)
  }

  async get<S extends z.ZodType>(o: Read<S>): Promise<z.infer<S>> {
    return read(await this.#ask({ ...o, method: 'GET' }), o.schema)
  }

  async post<S extends z.ZodType>(o: Read<S> & { readonly body: unknown }): Promise<z.infer<S>> {
    return read(await this.#ask({ ...o, method: 'POST' }), o.schema)
  }

  /** Resolves where it is gone, or is in that state already; true: it was done just now. */
  async end(o: { readonly method: 'POST' | 'DELETE'; readonly path: string; readonly signal: AbortSignal }): Promise<boolean> {
    const answer = await this.#ask(o)
    if (answer.status === 404) return false
    if (answer.status < 200 || answer.status > 299) throw phalaRefusal(answer.status, jsonOf(answer.body))
    return true
  }

  async #ask(o: {
    readonly method: 'GET' | 'POST' | 'DELETE'
    readonly path: string
    readonly body?: unknown
    readonly signal: AbortSignal
  }) {
    const answer = await askServer({
      url: new URL(`${this.#prefix}${o.path}`),
      method: o.method,
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        'x-api-key': this.#key.reveal(),
        'x-phala-version': VERSION,
      },
      ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
      maxBytes: LIMITS.maxBytes,
      patience: this.#patience,
      signal: o.signal,
    })
    if (answer.kind === 'too-long') throw targetFailure('target-answer-malformed')
    if (answer.kind !== 'answered') throw targetFailure('target-unreachable')
    if (answer.status >= 300 && answer.status < 400) throw targetFailure('target-redirects', { status: answer.status })
    return answer
  }
}

function read<S extends z.ZodType>({ status, body }: { readonly status: number; readonly body: Uint8Array }, schema: S): z.infer<S> {
  const json = jsonOf(body)
  if (status < 200 || status > 299) throw phalaRefusal(status, json)
  const parsed = schema.safeParse(json)
  if (!parsed.success) throw targetFailure('target-answer-malformed', { status })
  return parsed.data
}

/** Undefined, which no JSON says, where it is none that every reader takes for the same. */
function jsonOf(body: Uint8Array): unknown {
  try {
    return parseStrictJson(body, LIMITS)
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
