import { createHash } from 'node:crypto'

const MOST_DOCUMENT = 16 << 20
const MOST_BLOB = 512 << 20
const PATIENCE = 60_000
const SHA256 = /^[0-9a-f]{64}$/

/** What the action reads of a service, without a token: all of it is public. Anything that is not as expected is as good as not there. */
export class Service {
  readonly #server: URL

  constructor(server: URL) {
    this.#server = server
  }

  url(path: string): URL {
    return new URL(path, this.#server)
  }

  /** A blob; its bytes are those of the digest. Null where they are not to be had. */
  async blob(sha256: unknown): Promise<Buffer | null> {
    if (typeof sha256 !== 'string' || !SHA256.test(sha256)) return null
    const bytes = await fetched(this.url(`v1/blobs/${sha256}`), MOST_BLOB)
    return bytes !== null && createHash('sha256').update(bytes).digest('hex') === sha256 ? bytes : null
  }

  async document(path: string): Promise<unknown> {
    const bytes = await fetched(this.url(path), MOST_DOCUMENT)
    return bytes === null ? null : jsonOf(bytes)
  }
}

export function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return null
  }
}

/** The body of an answer that is `200`, up to a size; null for every other, and where there is none in time. */
export async function fetched(url: URL, maxBytes: number, redirect: 'error' | 'follow' = 'error'): Promise<Buffer | null> {
  try {
    const answer = await fetch(url, { redirect, signal: AbortSignal.timeout(PATIENCE) })
    if (answer.status !== 200 || answer.body === null) return null
    const parts: Uint8Array[] = []
    let size = 0
    for await (const part of answer.body) {
      size += part.length
      if (size > maxBytes) return null
      parts.push(part)
    }
    return Buffer.concat(parts)
  } catch {
    return null
  }
}

/** A member of a stranger's document. */
export function member(value: unknown, ...names: readonly (string | number)[]): unknown {
  let found = value
  for (const name of names)
    found = typeof found === 'object' && found !== null ? (found as Record<string | number, unknown>)[name] : undefined
  return found
}
