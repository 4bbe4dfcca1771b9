import { createHash, type Hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { NO_MIRROR } from '../../model/no-mirror.ts'
import type { InputLimits } from './input-proxy.ts'
import { type MirrorAnswer, MirrorError, type MirrorRequests } from './mirror-request.ts'
import { mirrorUrl } from './target.ts'

/** A transfer that came to an end without a body; the message is ours. */
export class TransferError extends Error {
  readonly code: 'input-unavailable' | 'network-limit'

  constructor(code: 'input-unavailable' | 'network-limit', message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'TransferError'
    this.code = code
  }
}

/** Counts the bytes of all transfers of a build. */
export type TransferBudget = { left: number }

export type TransferOptions = {
  readonly mirrors: readonly URL[]
  readonly path: string
  readonly requests: MirrorRequests
  readonly limits: Pick<InputLimits, 'bodyBytes' | 'tries' | 'stallMs'>
  readonly budget: TransferBudget
  readonly signal: AbortSignal
  /** Milliseconds before the second try; doubled for each one after. */
  readonly backoffMs?: number
}

export type Transfer =
  | { readonly kind: 'absent' }
  /** `size` is what the mirror announced: the body has it, or fails. */
  | { readonly kind: 'body'; readonly size: number | null; readonly bytes: AsyncIterable<Uint8Array> }

/** The least that a mirror must send on average after the first minute, bytes a second: a mirror that drips is as good as silent. */
const LEAST_RATE = 1024
const DEFAULT_BACKOFF = 250

/**
 * Takes one body from the first mirror that has it. The first mirror that says "not found" decides that it is absent; whatever else goes
 * wrong is tried again, with growing delays, on the next mirror. A body that breaks off is taken again from its start and continued only
 * if that start is what was already handed on: the reader sees one unbroken body or a failure.
 */
export async function openTransfer(options: TransferOptions): Promise<Transfer> {
  const tries = new Tries(options)
  const answer = await tries.next()
  if (answer.kind === 'absent') return answer
  return { kind: 'body', size: answer.size, bytes: continued(options, tries, answer) }
}

class Tries {
  #made = 0
  readonly #options: TransferOptions
  #lost = new Set<URL>()

  constructor(options: TransferOptions) {
    this.#options = options
  }

  /** The next mirror's answer; fails when all tries are used up. `cause` is why the one before did not do. */
  async next(cause?: unknown): Promise<MirrorAnswer> {
    const { limits, mirrors, path, requests, signal, backoffMs = DEFAULT_BACKOFF } = this.#options
    let last = cause
    while (this.#made < limits.tries) {
      const left = mirrors.filter((mirror) => !this.#lost.has(mirror))
      const mirror = left[this.#made % Math.max(left.length, 1)]
      if (mirror === undefined) break
      // The next mirror is asked at once; a mirror that failed already is given time.
      if (this.#made >= left.length) await delay(backoffMs * 2 ** (this.#made - left.length), undefined, { signal })
      this.#made += 1
      try {
        return await requests.get(mirrorUrl(mirror, path), signal)
      } catch (error) {
        signal.throwIfAborted()
        last = error
        if (error instanceof MirrorError && !error.retry) this.#lost.add(mirror)
      }
    }
    const why = last instanceof MirrorError ? last.message : NO_MIRROR
    throw new TransferError('input-unavailable', why, last)
  }
}

async function* continued(options: TransferOptions, tries: Tries, first: MirrorAnswer & { kind: 'body' }): AsyncGenerator<Uint8Array> {
  const { limits, budget, signal } = options
  const handed = createHash('sha256')
  let done = 0
  let answer: MirrorAnswer = first
  for (;;) {
    let failure: unknown
    if (answer.kind === 'absent' || answer.size !== first.size)
      failure = new MirrorError('a mirror changed a file while it was fetched', true)
    else {
      try {
        if (first.size !== null && first.size > limits.bodyBytes) throw tooLarge()
        let position = 0
        const again = done > 0 ? createHash('sha256') : undefined
        for await (const chunk of paced(answer.message, limits.stallMs, signal)) {
          budget.left -= chunk.length
          if (budget.left < 0) throw new TransferError('network-limit', 'the build took more from the network than a build may')
          if (position + chunk.length > limits.bodyBytes) throw tooLarge()
          const fresh = again !== undefined && position < done ? rest(chunk, { position, done, again, handed }) : chunk
          position += chunk.length
          if (fresh.length === 0) continue
          handed.update(fresh)
          done += fresh.length
          yield fresh
        }
        if (position >= done && (first.size === null || position === first.size)) return
        failure = new MirrorError('a mirror sent less than it announced', true)
      } catch (error) {
        if (error instanceof TransferError) throw error
        signal.throwIfAborted()
        failure = error instanceof MirrorError ? error : new MirrorError('a transfer broke off', true, error)
      } finally {
        answer.message.destroy()
      }
    }
    answer = await tries.next(failure)
  }
}

/** What of a chunk of a repeated transfer is new; fails where the repeated part is not what was handed on before. */
function rest(chunk: Uint8Array, at: { position: number; done: number; again: Hash; handed: Hash }): Uint8Array {
  const known = chunk.subarray(0, at.done - at.position)
  at.again.update(known)
  if (at.position + known.length === at.done && !at.again.digest().equals(at.handed.copy().digest()))
    throw new MirrorError('a mirror changed a file while it was fetched', true)
  return chunk.subarray(known.length)
}

/** Yields what arrives; fails where nothing does, or too little. Time that the reader takes for itself does not count. */
async function* paced(message: IncomingMessage, stallMs: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let waited = 0
  let received = 0
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>
  const stop = (): void => void message.destroy(new MirrorError('a mirror fell silent', true))
  const abort = (): void => void message.destroy()
  signal.addEventListener('abort', abort, { once: true })
  // The socket's own clock would also count the time that we do not read.
  message.socket?.setTimeout(0)
  try {
    for (;;) {
      const timer = setTimeout(stop, stallMs)
      const since = performance.now()
      const next = await chunks.next().finally(() => clearTimeout(timer))
      waited += performance.now() - since
      if (next.done === true) return
      received += next.value.length
      if (waited > 60_000 && received < (waited / 1000) * LEAST_RATE) throw new MirrorError('a mirror sends too slowly', true)
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function tooLarge(): TransferError {
  return new TransferError('network-limit', 'an input is larger than an input may be')
}
