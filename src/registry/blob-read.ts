import { createHash } from 'node:crypto'
import { withPrefix } from '../../verifier/model/digest.ts'
import type { BlobId } from '../app/image-registry.ts'
import { ExchangeFailed, exchangeFailed } from './exchange-failed.ts'
import { registryFailure } from './failures.ts'
import type { Answer } from './http-client.ts'
import { drop } from './read-body.ts'
import { backoff } from './retry.ts'
import { type RegistrySession, unreachable } from './session.ts'

/** Connections for one blob: one that always gets a little further would never end. */
const MAX_OPENED = 100

/** What a connection has to yield on the whole, once it had time to begin: a registry that drips is as good as silent. */
const SLOWEST = { bytesPerSecond: 16 * 1024, afterMs: 120_000 }

/** Whether the repository has a blob. What it says of it must be true of the one that was meant. Rejects with `registry-digest-differs`. */
export async function hasBlob(session: RegistrySession, { sha256, size }: BlobId, signal: AbortSignal): Promise<boolean> {
  const at = `blobs/${withPrefix(sha256)}`
  let answer = await session.request({ method: 'HEAD', at, signal })
  await drop(answer)
  // Sent on to a store, a link that is signed for GET is good for nothing else.
  if (answer.status === 401 || answer.status === 403 || answer.status === 405) {
    answer = await session.request({ method: 'GET', at, signal })
    await drop(answer)
  }
  if (answer.status === 404) return false
  if (answer.status !== 200) throw registryFailure('registry-answer-malformed', { status: answer.status, action: 'blob-look-up' })
  const length = answer.headers['content-length']
  if (!saysDigest(answer, sha256) || (length !== undefined && length !== String(size)))
    throw registryFailure('registry-digest-differs', { sha256 })
  return true
}

/** False where the answer names another digest. One without the header says nothing, and another algorithm's is not held against this one. */
export function saysDigest({ headers }: Pick<Answer, 'headers'>, sha256: string): boolean {
  const digest = headers['docker-content-digest']
  return typeof digest !== 'string' || !digest.startsWith('sha256:') || digest === `sha256:${sha256}`
}

/**
 * A blob's bytes, the connection taken up again where it broke off. They are the named ones only once the last was read: before, this
 * rejects with `registry-digest-differs`, `registry-not-found`, `registry-unreachable`.
 */
export async function* readBlob(
  session: RegistrySession,
  { sha256, size }: BlobId,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const hash = createHash('sha256')
  let done = 0
  let idle = 0
  for (let opened = 1; ; opened += 1) {
    const answer = await open(session, { sha256, from: done, signal })
    // A server that does not know Range sends all of it again: what is known already is passed over.
    let skip = answer.status === 206 ? 0 : done
    const before = done
    const began = session.pace.now()
    let came = 0
    try {
      for await (const part of answer.body as AsyncIterable<Buffer>) {
        came += part.length
        if (isSlow(came, session.pace.now() - began)) throw registryFailure('registry-unreachable', { reason: 'slow' })
        const fresh = part.subarray(Math.min(skip, part.length))
        skip -= part.length - fresh.length
        if (fresh.length === 0) continue
        done += fresh.length
        if (done > size) throw registryFailure('registry-digest-differs', { sha256 })
        hash.update(fresh)
        yield fresh
      }
      if (done < size) throw ended(answer) ? registryFailure('registry-digest-differs', { sha256 }) : new ExchangeFailed('lost')
      break
    } catch (error) {
      signal.throwIfAborted()
      const failed = exchangeFailed(error)
      if (!(failed instanceof ExchangeFailed)) throw failed
      idle = done > before ? 1 : idle + 1
      if (idle >= session.pace.tries || opened >= MAX_OPENED) throw unreachable(failed)
    } finally {
      answer.body.destroy()
    }
    await session.pace.wait(backoff(idle, session.pace), signal)
  }
  if (hash.digest('hex') !== sha256) throw registryFailure('registry-digest-differs', { sha256 })
}

function isSlow(bytes: number, ms: number): boolean {
  return ms > SLOWEST.afterMs && bytes < (ms / 1000) * SLOWEST.bytesPerSecond
}

/** Whether a body came to the end that its sender gave it, and not to that of its connection. */
function ended({ headers, body }: Answer): boolean {
  return body.complete && (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
}

async function open(
  session: RegistrySession,
  { sha256, from, signal }: { sha256: string; from: number; signal: AbortSignal },
): Promise<Answer> {
  const headers = from === 0 ? {} : { range: `bytes=${from}-` }
  const answer = await session.request({ method: 'GET', at: `blobs/sha256:${sha256}`, headers, signal })
  const starts = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '')?.[1]
  if (answer.status === 200 || (answer.status === 206 && from > 0 && starts === String(from))) return answer
  await drop(answer)
  if (answer.status === 404) throw registryFailure('registry-not-found', { sha256 })
  throw registryFailure('registry-answer-malformed', { status: answer.status, action: 'blob' })
}
