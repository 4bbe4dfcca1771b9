import { randomBytes } from 'node:crypto'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { jsonOf } from '../../verifier/model/json-of.ts'
import { signRequest } from '../worker-auth/sign-request.ts'
import type { WorkerKey } from '../worker-auth/worker-key.ts'
import { coordinatorFailure, refusalOf } from './coordinator-failures.ts'

export type Sent = {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Below the origin, with its query. */
  readonly target: string
  readonly body?: { readonly contentType: string; readonly sha256: Sha256; readonly content: string | (() => AsyncIterable<Uint8Array>) }
  /** How long nothing at all may happen before there is an answer; ms. */
  readonly stallMs: number
  readonly signal?: AbortSignal
}

export type ExchangeOptions = { readonly origin: URL; readonly key: WorkerKey; readonly version: string; readonly now?: () => Date }

/** Largest document that a coordinator answers with, and what is read of a refusal. */
const MAX_ANSWER = 4 << 20
const MAX_REFUSAL = 64 << 10
const CODE = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** An answer whose body is not read yet. */
export type Answered = { readonly response: Response; readonly moved: () => void }

/**
 * One signed request and its answer: a new signature each time, no redirect followed, nothing of a refusal but its code. Rejects with
 * `coordinator-…`, with the code of a refusal, or with the signal's reason.
 */
export async function exchange<T>(o: ExchangeOptions, sent: Sent, read: (answered: Answered) => Promise<T>): Promise<T> {
  sent.signal?.throwIfAborted()
  const stalled = new AbortController()
  const timer = setTimeout(() => stalled.abort(), sent.stallMs)
  const moved = (): void => void timer.refresh()
  // What fails where the body comes from is not the coordinator's doing; fetch would make one of both.
  const source: { error?: unknown } = {}
  const signal = sent.signal === undefined ? stalled.signal : AbortSignal.any([sent.signal, stalled.signal])
  try {
    const response = await fetch(new URL(sent.target, o.origin), {
      method: sent.method,
      headers: { ...signedFields(o, sent), accept: 'application/json', 'user-agent': `bitwitness/${o.version}` },
      body: bodyOf(sent, { moved, source }),
      duplex: 'half',
      redirect: 'manual',
      signal,
    })
    moved()
    if (!response.ok) throw await refusal(response)
    return await read({ response, moved })
  } catch (error) {
    sent.signal?.throwIfAborted()
    if (source.error !== undefined) throw source.error
    if (error instanceof Failure) throw error
    throw coordinatorFailure('coordinator-unreachable', {}, error)
  } finally {
    clearTimeout(timer)
    // What was not read of an answer nobody waits for.
    stalled.abort()
  }
}

function signedFields({ key, now = () => new Date() }: ExchangeOptions, { method, target, body }: Sent): Readonly<Record<string, string>> {
  const covered = body === undefined ? null : { contentType: body.contentType, sha256: body.sha256 }
  return signRequest({ method, target, body: covered }, { key, now: now(), nonce: randomBytes(16) })
}

type Watch = { readonly moved: () => void; readonly source: { error?: unknown } }

function bodyOf({ body }: Sent, { moved, source }: Watch): string | ReadableStream<Uint8Array> | null {
  if (body === undefined) return null
  const { content } = body
  if (typeof content === 'string') return content
  const watched = async function* (): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* noted(content(), moved)
    } catch (error) {
      source.error = error
      throw error
    }
  }
  return ReadableStream.from(watched())
}

export async function* noted(bytes: AsyncIterable<Uint8Array>, moved: () => void): AsyncGenerator<Uint8Array, void, void> {
  for await (const part of bytes) {
    moved()
    yield part
  }
}

async function refusal(response: Response): Promise<Failure> {
  const { status } = response
  // fetch hides what a redirect is.
  if (response.type === 'opaqueredirect' || (status >= 300 && status < 400)) return coordinatorFailure('coordinator-redirects')
  const code = await codeIn(response)
  if (status >= 500 || status === 429) return coordinatorFailure('coordinator-failing', { status })
  if (code === undefined || code === 'route-unknown') return coordinatorFailure('coordinator-not-bitwitness', { status })
  return refusalOf(code)
}

async function codeIn(response: Response): Promise<string | undefined> {
  const problem = response.headers.get('content-type') === 'application/problem+json'
  const bytes = problem ? await wholeBody(response, MAX_REFUSAL).catch(() => undefined) : undefined
  const said = bytes === undefined ? undefined : (jsonOf(bytes.toString('utf8')) as { readonly code?: unknown } | null)?.code
  return typeof said === 'string' && said.length <= 64 && CODE.test(said) ? said : undefined
}

/** The document that an answer is. Rejects with `coordinator-answer-malformed`. */
export async function documentOf(response: Response): Promise<unknown> {
  const value = jsonOf((await wholeBody(response, MAX_ANSWER)).toString('utf8'))
  if (value === undefined) throw coordinatorFailure('coordinator-answer-malformed')
  return value
}

async function wholeBody({ body }: Response, limit: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body ?? []) {
    size += part.length
    if (size > limit) throw coordinatorFailure('coordinator-answer-malformed')
    parts.push(part)
  }
  return Buffer.concat(parts)
}
