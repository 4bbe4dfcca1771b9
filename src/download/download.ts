import { createWriteStream } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { makeWhole } from '../../verifier/bytes/whole-file.ts'
import { downloadFailure } from './failures.ts'
import { asFailure, type RequestRules, request } from './request.ts'

export type DownloadRules = RequestRules & {
  /** Of the body. */
  readonly maxBytes: number
  /** For all of it: redirects, and the body to its end. */
  readonly seconds: number
}

/** What may be held in memory, whatever the rules say, in bytes. */
const MAX_IN_MEMORY = 64 * 1024 ** 2

/**
 * Fetches a URL into a new file, which appears whole or not at all, and gives its size. The bytes are a stranger's until a digest or a
 * signature says otherwise. Rejects with a `download-…` failure, or with the signal's reason.
 */
export async function downloadFile(url: string, file: string, rules: DownloadRules, signal: AbortSignal): Promise<number> {
  return await makeWhole(file, (part) =>
    within(rules, signal, async (stop) => {
      const answer = await request(url, rules, stop)
      const target = createWriteStream(part, { flags: 'wx', mode: 0o600 })
      await pipeline(bodyOf(answer, rules.maxBytes), target, { signal: stop })
      return target.bytesWritten
    }),
  )
}

/** Fetches something small, such as a document of bundles, into memory. Otherwise as `downloadFile`. */
export async function downloadBytes(url: string, rules: DownloadRules, signal: AbortSignal): Promise<Uint8Array> {
  return (await downloadWhole(url, rules, signal)).bytes
}

/** The same with the headers of the answer, for what says something in them. */
export async function downloadWhole(
  url: string,
  rules: DownloadRules,
  signal: AbortSignal,
): Promise<{ readonly headers: IncomingMessage['headers']; readonly bytes: Uint8Array }> {
  return await within(rules, signal, async (stop) => {
    const answer = await request(url, rules, stop)
    const { headers } = answer
    return { headers, bytes: Buffer.concat(await Array.fromAsync(bodyOf(answer, Math.min(rules.maxBytes, MAX_IN_MEMORY)))) }
  })
}

async function* bodyOf(answer: IncomingMessage, limit: number): AsyncGenerator<Buffer, void, void> {
  try {
    const stated = answer.headers['content-length']
    // Chunks say where they end; a body that ends with its connection could be cut short unseen.
    if (stated === undefined && answer.headers['transfer-encoding'] !== 'chunked') throw downloadFailure('download-failed')
    if (Number(stated ?? 0) > limit) throw downloadFailure('download-size-limit', { limit })
    let size = 0
    for await (const part of answer as AsyncIterable<Buffer>) {
      size += part.length
      if (size > limit) throw downloadFailure('download-size-limit', { limit })
      yield part
    }
  } catch (error) {
    throw asFailure(error)
  } finally {
    answer.destroy()
  }
}

async function within<T>({ seconds }: DownloadRules, signal: AbortSignal, run: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(seconds * 1000)
  try {
    return await run(AbortSignal.any([signal, late]))
  } catch (error) {
    signal.throwIfAborted()
    throw late.aborted ? downloadFailure('download-time-limit', { limit: seconds }) : error
  }
}
