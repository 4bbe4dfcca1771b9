import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Failure } from '../../verifier/model/failure.ts'
import { targetFailure } from './target-failure.ts'

/** Where a VMM listens. `socketPath`: a socket of this machine, and the host of the URL means nothing. */
export type VmmAddress = { readonly url: URL; readonly socketPath?: string }

export type VmmRequest = {
  readonly address: VmmAddress
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** A longer answer is none. */
  readonly maxBytes: number
  /** Of the whole, from the connection to the last byte, ms. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export type VmmAnswer = { readonly status: number; readonly body: Uint8Array }

/**
 * Asks a VMM once: what it was told may have been done although no answer came. Redirections are not followed, since what is sent holds a
 * token. Fails with `target-unreachable`, `target-answer-malformed` (too long), or with the signal's reason.
 */
export async function askVmm(o: VmmRequest): Promise<VmmAnswer> {
  const signal = AbortSignal.any([o.signal, AbortSignal.timeout(o.timeoutMs)])
  try {
    const answer = await send(o, signal)
    return { status: answer.statusCode ?? 0, body: await read(answer, o.maxBytes) }
  } catch (error) {
    o.signal.throwIfAborted()
    throw error instanceof Failure ? error : targetFailure('target-unreachable')
  }
}

async function send({ address: { url, socketPath }, headers, body }: VmmRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const ask = url.protocol === 'https:' ? httpsRequest : httpRequest
  return await new Promise<IncomingMessage>((settle, reject) => {
    const outgoing = ask(url, {
      // No connection is shared, and none goes through a proxy of the environment.
      agent: false,
      method: 'POST',
      signal,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'content-length': String(Buffer.byteLength(body)),
        'content-type': 'application/json',
        'user-agent': 'bitwitness',
        ...headers,
      },
      ...(socketPath === undefined ? {} : { socketPath }),
    })
    outgoing.on('error', reject)
    outgoing.on('response', (answer) => {
      // Later errors reach whoever reads the body; one that nobody reads must not end the process.
      answer.on('error', () => {})
      settle(answer)
    })
    outgoing.end(body)
  })
}

async function read(answer: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length
    if (size > maxBytes) throw targetFailure('target-answer-malformed')
    parts.push(part)
  }
  return Buffer.concat(parts)
}
