import type { z } from 'zod'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { Coordinator, GivenBlob } from '../app/service/coordinator.ts'
import {
  BlobAnswer,
  type BlobQuestion,
  type EventBatch,
  type Heartbeat,
  HeartbeatAnswer,
  ReportAnswer,
  type WorkerClaim,
  WorkerJob,
} from '../app/service/worker-protocol.ts'
import { coordinatorFailure } from './coordinator-failures.ts'
import { type Answered, documentOf, type ExchangeOptions, exchange, noted, type Sent } from './exchange.ts'
import { type Patience, persist } from './patience.ts'

export type HttpCoordinatorOptions = ExchangeOptions & { readonly patience?: Patience }

/** Of calls that are answered at once. */
const ANSWER_MS = 15_000
/** Of the report, behind which blobs are read. */
const REPORT_MS = 120_000
/** Nothing moves of a blob for so long, or its end is not answered. */
const BLOB_MS = 120_000
/** Of what repeats harmlessly; who asks for more patience has its own. */
const TRIES = 4
const PATIENCE: Patience = { firstMs: 500, mostMs: 4000 }
/** Blobs that are fetched side by side, and the largest of them. */
const HANDS = 4
const MAX_BLOB = 64 * 2 ** 30

const NEVER = new AbortController().signal

/**
 * A coordinator over HTTP. Everything but a claim repeats harmlessly and is tried a few times; what is known to the coordinator is known
 * by digest or number. Failures: `coordinator-…`, codes of refusals, `blob-missing` and `blob-differs`.
 */
export class HttpCoordinator implements Coordinator {
  readonly #o: HttpCoordinatorOptions

  constructor(o: HttpCoordinatorOptions) {
    this.#o = o
  }

  async claim(claim: WorkerClaim, signal: AbortSignal): Promise<WorkerJob | undefined> {
    const stallMs = claim.waitSeconds * 1000 + ANSWER_MS
    return await exchange(this.#o, { ...posted('/v1/worker/claim', claim), stallMs, signal }, async ({ response }) =>
      response.status === 204 ? undefined : await answerOf(WorkerJob, response),
    )
  }

  async heartbeat(attemptId: string, beat: Heartbeat): Promise<HeartbeatAnswer> {
    // The next one comes soon enough.
    return await exchange(this.#o, posted(`${pathOf(attemptId)}/heartbeat`, beat), ({ response }) => answerOf(HeartbeatAnswer, response))
  }

  async events(attemptId: string, batch: EventBatch): Promise<void> {
    await this.#again(posted(`${pathOf(attemptId)}/events`, batch), async () => {})
  }

  async missing(attemptId: string, question: BlobQuestion): Promise<readonly Sha256[]> {
    const { missing } = await this.#again(posted(`${pathOf(attemptId)}/blobs`, question), ({ response }) => answerOf(BlobAnswer, response))
    return missing
  }

  async fetch(digests: readonly Sha256[], into: BlobStore, signal: AbortSignal): Promise<void> {
    const queue = [...digests]
    const stop = new AbortController()
    const either = AbortSignal.any([signal, stop.signal])
    const hands = Array.from({ length: HANDS }, async () => {
      for (let sha256 = queue.shift(); sha256 !== undefined && !either.aborted; sha256 = queue.shift())
        if ((await into.size(sha256)) === undefined) await this.#fetchOne(sha256, into, either)
    })
    try {
      await Promise.all(hands)
    } finally {
      stop.abort()
      await Promise.allSettled(hands)
    }
    signal.throwIfAborted()
  }

  async give({ attemptId, lease, sha256, bytes, signal }: GivenBlob): Promise<void> {
    const target = `${pathOf(attemptId)}/blobs/${sha256}?lease=${lease}`
    const body = { contentType: 'application/octet-stream', sha256, content: bytes }
    await this.#again({ method: 'PUT', target, body, stallMs: BLOB_MS, signal }, async () => {})
  }

  async report(attemptId: string, document: string): Promise<ReportAnswer> {
    const sent = { ...postedText(`${pathOf(attemptId)}/report`, document), stallMs: REPORT_MS }
    return await this.#again(sent, ({ response }) => answerOf(ReportAnswer, response))
  }

  async #fetchOne(sha256: Sha256, into: BlobStore, signal: AbortSignal): Promise<void> {
    const sent: Sent = { method: 'GET', target: `/v1/worker/blobs/${sha256}`, stallMs: BLOB_MS, signal }
    await this.#again(sent, async ({ response, moved }) => {
      await into.put(bounded(noted(response.body ?? emptyBody(), moved)), sha256)
    })
  }

  async #again<T>(sent: Sent, read: (answered: Answered) => Promise<T>): Promise<T> {
    const { patience = PATIENCE } = this.#o
    return await persist(() => exchange(this.#o, sent, read), { patience, tries: TRIES, signal: sent.signal ?? NEVER })
  }
}

function pathOf(attemptId: string): string {
  return `/v1/worker/attempts/${attemptId}`
}

function posted(target: string, document: object): Sent {
  return postedText(target, JSON.stringify(document))
}

function postedText(target: string, content: string): Sent {
  const body = { contentType: 'application/json', sha256: digestOf(content), content }
  return { method: 'POST', target, body, stallMs: ANSWER_MS }
}

async function answerOf<S extends z.ZodType>(schema: S, response: Response): Promise<z.infer<S>> {
  const parsed = schema.safeParse(await documentOf(response))
  if (parsed.success) return parsed.data
  throw coordinatorFailure('coordinator-answer-malformed')
}

async function* bounded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let size = 0
  for await (const part of bytes) {
    size += part.length
    if (size > MAX_BLOB) throw coordinatorFailure('coordinator-answer-malformed')
    yield part
  }
}

async function* emptyBody(): AsyncGenerator<Uint8Array, void, void> {}
