import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { z } from 'zod'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { appendEvents } from '../app/service/append-events.ts'
import { claimJob } from '../app/service/claim-job.ts'
import { attemptUnknown } from '../app/service/hold-attempt.ts'
import { keepLease } from '../app/service/lease-attempt.ts'
import { readProtocol } from '../app/service/protocol-document.ts'
import { takeReport } from '../app/service/take-report.ts'
import { giveBlob, missingBlobs, takeBlob } from '../app/service/worker-blobs.ts'
import type { SpeakingWorker, WorkerPorts } from '../app/service/worker-ports.ts'
import { BlobQuestion, EventBatch, Heartbeat, MAX_PROTOCOL_BYTES, WorkerClaim } from '../app/service/worker-protocol.ts'
import { heldAgainst } from '../worker-auth/content-digest.ts'
import type { NonceMemory } from '../worker-auth/nonce-memory.ts'
import { verifyRequest } from '../worker-auth/verify-request.ts'
import type { Part } from './app.ts'
import { boundedBody } from './bounded-body.ts'
import type { HttpEnv, HttpPorts } from './http-ports.ts'
import { answerJson } from './json-answer.ts'
import { streamed } from './streamed.ts'
import { answerWorkerProblem } from './worker-problems.ts'

export type WorkerRoutePorts = WorkerPorts & Pick<HttpPorts, 'limits' | 'onTrouble'> & { readonly nonces: NonceMemory }

type WorkerEnv = { Bindings: HttpEnv['Bindings']; Variables: HttpEnv['Variables'] & { worker: SpeakingWorker; body: Sha256 | null } }

/** What workers are answered: each request signed by its key, and each with one use case. */
export function workerRoutes(ports: WorkerRoutePorts): Part {
  const app = new OpenAPIHono<WorkerEnv>()
  app.onError((error, c) => answerWorkerProblem(ports, error, c as unknown as Context<HttpEnv>))
  app.use(signed(ports))
  app.post('/claim', async (c) => {
    const claim = readProtocol(WorkerClaim, await documentOf(c, ports))
    const job = await claimJob(ports, c.get('worker'), { claim, signal: c.req.raw.signal })
    return job === undefined ? c.body(null, 204) : answer(c, job)
  })
  app.post('/attempts/:id/heartbeat', async (c) => {
    const { lease } = readProtocol(Heartbeat, await documentOf(c, ports))
    const expiresAt = await keepLease(ports, { attemptId: attemptOf(c), lease, worker: c.get('worker').id })
    return answer(c, { expiresAt: expiresAt.toISOString() })
  })
  app.post('/attempts/:id/events', async (c) => {
    const batch = readProtocol(EventBatch, await documentOf(c, ports))
    await appendEvents(ports, c.get('worker'), { attemptId: attemptOf(c), batch })
    return c.body(null, 204)
  })
  app.post('/attempts/:id/blobs', async (c) => {
    const question = readProtocol(BlobQuestion, await documentOf(c, ports))
    return answer(c, { missing: await missingBlobs(ports, c.get('worker'), { attemptId: attemptOf(c), question }) })
  })
  app.put('/attempts/:id/blobs/:sha256', async (c) => {
    const sha256 = blobOf(c)
    // It was signed by this digest, by which it is stored: it is held against it once.
    if (c.get('body') !== sha256) throw otherBlob()
    const lease = c.req.query('lease') ?? ''
    await takeBlob(ports, c.get('worker'), { attemptId: attemptOf(c), lease, sha256, bytes: received(c, ports, BLOB) })
    return c.body(null, 204)
  })
  app.get('/blobs/:sha256', async (c) => {
    const { size, bytes } = await giveBlob(ports, blobOf(c))
    const content = streamed(c as unknown as Context<HttpEnv>, ports, { content: bytes })
    return c.body(content, 200, { 'Content-Type': 'application/octet-stream', 'Content-Length': String(size) })
  })
  app.post('/attempts/:id/report', async (c) => {
    const document = await documentOf(c, ports)
    return answer(c, await takeReport(ports, c.get('worker'), { attemptId: attemptOf(c), document }))
  })
  return (whole) => {
    whole.route('/v1/worker', app)
  }
}

function signed({ reads, nonces, now }: Pick<WorkerRoutePorts, 'reads' | 'nonces' | 'now'>): MiddlewareHandler<WorkerEnv> {
  return async (c, next) => {
    const { worker, body } = await verifyRequest(
      { method: c.req.method, target: targetOf(c), header: (name) => c.req.header(name) ?? null },
      { withKey: (publicKey) => reads.workers.withKey(publicKey), now: now(), nonces },
    )
    c.set('worker', worker)
    c.set('body', body)
    await next()
  }
}

/** As it stands in the first line of the request; what parsers make of it may be another. */
function targetOf(c: Context<WorkerEnv>): string {
  const { pathname, search } = new URL(c.req.url)
  return (c.env as HttpEnv['Bindings'] | undefined)?.incoming?.url ?? `${pathname}${search}`
}

const DOCUMENT = { maxBytes: MAX_PROTOCOL_BYTES, maxMs: 60_000 }
/** The use case bounds the bytes of a blob. */
const BLOB = { maxBytes: Number.POSITIVE_INFINITY, maxMs: 6 * 3_600_000 }

async function documentOf(c: Context<WorkerEnv>, ports: WorkerRoutePorts): Promise<Uint8Array> {
  const sha256 = c.get('body')
  if (sha256 === null) throw new TypeError('a body that nobody signed')
  const parts: Uint8Array[] = []
  for await (const part of heldAgainst(received(c, ports, DOCUMENT), sha256)) parts.push(part)
  return Buffer.concat(parts)
}

/** The bytes of the body, which nobody has held against what was signed yet. */
function received(c: Context<WorkerEnv>, { limits }: WorkerRoutePorts, bounds: typeof DOCUMENT): AsyncIterable<Uint8Array> {
  return boundedBody(c.req.raw.body, { ...limits, ...bounds, tooLarge })
}

function attemptOf(c: Context<WorkerEnv>): string {
  const id = z.uuid().safeParse(c.req.param('id'))
  if (!id.success) throw attemptUnknown()
  return id.data
}

function blobOf(c: Context<WorkerEnv>): Sha256 {
  const sha256 = Sha256.safeParse(c.req.param('sha256'))
  if (sha256.success) return sha256.data
  throw new Failure({ code: 'blob-missing', message: 'there is no such blob', hint: 'name it by its sha256' })
}

function otherBlob(): Failure {
  return new Failure({
    code: 'blob-differs',
    message: 'the Content-Digest is of another blob than the path names',
    hint: 'give each blob under its own digest',
  })
}

function answer(c: Context<WorkerEnv>, value: object): Response {
  return answerJson(c as unknown as Context<HttpEnv>, value, 200)
}

function tooLarge(): Failure {
  return new Failure({
    code: 'body-too-large',
    message: 'the document is larger than any of the protocol',
    hint: 'send less at once',
  })
}
