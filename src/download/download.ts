import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Failure } from '../../verifier/model/failure.ts'

export type DownloadLimits = { readonly maxBytes: number; readonly seconds: number }

/** Fetches an http or https URL into a file of ours in `folder`. The bytes are a stranger's until a digest says otherwise. */
export async function download(location: URL, folder: string, limits: DownloadLimits, signal: AbortSignal): Promise<string> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(limits.seconds * 1000)])
  const file = path.join(folder, 'downloaded')
  try {
    const answer = await fetch(location, { signal: stop, redirect: 'follow' })
    if (!answer.ok || answer.body === null) throw failed('the server refused it')
    const source = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0])
    await pipeline(bounded(source, limits.maxBytes), createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal: stop })
    return file
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof Failure) throw cause
    throw failed(stop.aborted ? 'it took too long' : 'it broke off', cause)
  }
}

async function* bounded(source: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer, void, void> {
  let left = maxBytes
  for await (const part of source) {
    left -= part.length
    if (left < 0) throw failed('it is larger than a build may be')
    yield part
  }
}

function failed(why: string, cause?: unknown): Failure {
  return new Failure({
    code: 'download-failed',
    message: `the claimed bytes could not be fetched: ${why}`,
    hint: 'fetch the file by hand and give its path',
    cause,
  })
}
