import { setTimeout as delay } from 'node:timers/promises'

/** How one request may go on before we give up. Milliseconds. */
export type Patience = {
  /** Of one request, from the connection to the last byte. */
  readonly timeout: number
  /** Further requests after one that failed in a way that may pass. */
  readonly retries: number
  /** Before the first of them; each further one waits twice as long, and all a little at random. */
  readonly retryDelay: number
}

/** 20 s and more: a Rekor v2 server answers after its checkpoint interval, 10 s by default, and a second. */
export const PATIENCE: Patience = { timeout: 30_000, retries: 3, retryDelay: 500 }

/** What came of a request. `errno` is a code of the operating system, of TLS or of the HTTP client, never a text. */
export type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly location: string | null; readonly body: Uint8Array }
  | { readonly kind: 'unreachable'; readonly errno: string | undefined }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'too-long' }

export type HttpRequest = {
  readonly url: URL
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  /** A blob is read from its file as it is sent. */
  readonly body?: string | Blob
  /** Longer answers are not read; a megabyte, if not given. */
  readonly maxBytes?: number
  readonly patience: Patience
  readonly signal: AbortSignal
}

const MAX_BYTES = 1 << 20

/**
 * Asks a server, again where it could not be reached or answered 5xx, 408 or 429. A request that ran out of time is not repeated: the
 * server may still be at it, and the caller comes back later. Redirections are not followed, since what is sent may be an identity token.
 * Throws only where `signal` aborts, and then its reason.
 */
export async function askServer(request: HttpRequest): Promise<Answer> {
  const { patience, signal } = request
  for (let retry = 0; ; retry += 1) {
    const answer = await askOnce(request)
    signal.throwIfAborted()
    if (retry >= patience.retries || !mayPass(answer)) return answer
    // Half of the wait is at random, so that workers that failed together do not come back together.
    const wait = patience.retryDelay * 2 ** retry * (0.5 + Math.random() / 2)
    await delay(wait, undefined, { signal }).catch(() => {})
    signal.throwIfAborted()
  }
}

function mayPass(answer: Answer): boolean {
  if (answer.kind !== 'answered') return answer.kind === 'unreachable'
  return answer.status >= 500 || answer.status === 408 || answer.status === 429
}

async function askOnce({ url, method, headers, body, maxBytes = MAX_BYTES, patience, signal }: HttpRequest): Promise<Answer> {
  const timeout = AbortSignal.timeout(patience.timeout)
  try {
    const response = await fetch(url, {
      method,
      headers: { 'user-agent': 'bitwitness', ...headers },
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
      ...(body === undefined ? {} : { body }),
    })
    const bytes = await read(response, maxBytes)
    if (bytes === undefined) return { kind: 'too-long' }
    return { kind: 'answered', status: response.status, location: response.headers.get('location'), body: bytes }
  } catch (error) {
    if (timeout.aborted) return { kind: 'timeout' }
    return { kind: 'unreachable', errno: errnoOf(error) }
  }
}

/** The body, or undefined where it is longer than any should be. */
async function read(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = []
  let length = 0
  // Leaving the loop early cancels the body.
  for await (const part of response.body ?? []) {
    length += part.length
    if (length > maxBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** The code of what the HTTP client wraps; its texts stay where they are. */
function errnoOf(error: unknown): string | undefined {
  const code = ((error as Error | undefined)?.cause as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : undefined
}
