import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AttemptEvent } from '../../../verifier/model/event.ts'
import { sha256Of } from '../../../verifier/model/hex-digest.ts'
import { SubmissionRequest } from '../../app/service/api-documents.ts'
import type { VerificationAnswer } from '../answers.ts'

export const ID = '0193a1b2-0000-7000-8000-000000000001'
const OWNER = { id: '0193a1b2-0000-7000-8000-0000000000aa', kind: 'local', name: 'alice', issuer: 'local', subject: 'alice' } as const

/** A service that has one verification, which ends as it is told to. */
export type FakeService = AsyncDisposable & {
  readonly url: URL
  /** What was asked for, in order: method and path. */
  readonly asked: string[]
  readonly requests: SubmissionRequest[]
  readonly keys: string[]
  readonly tokens: Set<string>
  /** Places after which events were asked for. */
  readonly resumed: string[]
  verification: VerificationAnswer
  joined: boolean
  events: readonly AttemptEvent[]
  /** The connection breaks after so many events, once for each number. */
  breaks: number[]
  /** Never ends by itself. */
  open: boolean
  readonly blobs: Map<string, Buffer>
  /** What a list of verifications shows, whatever it is asked for. */
  known: readonly VerificationAnswer[]
  /** App-composes that were admitted, by app and hash. */
  readonly admitted: Map<string, Buffer>
  /** Deployments that it was told of, by the key of the request. */
  readonly announced: Map<string, unknown>
  /** Answers in place of what is asked for next. */
  problems: { status: number; body: string }[]
  /** Whether it fetches nothing from where claimed bytes are said to lie. */
  refusesLocations: boolean
}

export function verificationOf(change: Partial<VerificationAnswer> = {}): VerificationAnswer {
  return {
    id: ID,
    state: 'accepted',
    verdict: null,
    tier: null,
    reasons: [],
    owner: OWNER,
    source: { kind: 'archive', name: 'app.tar', path: '.' },
    pinned: null,
    claims: null,
    attempts: 2,
    architecture: null,
    builder: null,
    lock: null,
    inputs: null,
    reusedFrom: null,
    report: null,
    attestations: [],
    unsigned: [],
    createdAt: '2026-01-01T00:00:00Z',
    finishedAt: null,
    links: { self: `/v1/verifications/${ID}`, attempts: '/a', events: '/e', recipe: null, report: null, source: null },
    ...change,
  }
}

export async function startFakeService(): Promise<FakeService> {
  const server = createServer((request, response) => {
    void answer(service, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const service: FakeService = {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    asked: [],
    requests: [],
    keys: [],
    tokens: new Set(),
    resumed: [],
    verification: verificationOf(),
    joined: false,
    events: [],
    breaks: [],
    open: false,
    blobs: new Map(),
    known: [],
    admitted: new Map(),
    announced: new Map(),
    problems: [],
    refusesLocations: false,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return service
}

async function answer(service: FakeService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = `${request.method} ${request.url}`
  service.asked.push(route)
  const body = await bodyOf(request)
  const problem = service.problems.shift()
  if (problem !== undefined)
    return void response.writeHead(problem.status, { 'content-type': 'application/problem+json' }).end(problem.body)
  if (request.headers.authorization !== undefined) service.tokens.add(request.headers.authorization)
  const send = (status: number, document: unknown): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document))
  if (route === 'POST /v1/uploads') {
    const sha256 = sha256Of(createHash('sha256').update(body))
    service.blobs.set(sha256, body)
    return send(201, { sha256, size: body.length, expiresAt: '2026-01-02T00:00:00Z' })
  }
  if (route === 'POST /v1/verifications') {
    const submission = SubmissionRequest.parse(JSON.parse(body.toString('utf8')))
    if (service.refusesLocations && submission.claims.some(({ location }) => location !== null))
      return send(422, problemDocument('claim-location-refused', 'nothing is fetched from there', 'leave it out'))
    service.requests.push(submission)
    service.keys.push(String(request.headers['idempotency-key']))
    const named = [submission.source.kind === 'archive' ? submission.source.sha256 : null, submission.lock, submission.inputs]
    if (named.some((digest) => digest !== null && !service.blobs.has(digest)))
      return send(422, problemDocument('upload-unknown', 'no such upload', 'upload it'))
    return send(202, { verification: service.verification, joined: service.joined, notice: null })
  }
  if (route.startsWith('GET /v1/verifications?')) return send(200, { items: service.known, next: null })
  if (route === `GET /v1/verifications/${ID}`) return send(200, { ...service.verification, of: 'a newer service' })
  if (route === `POST /v1/verifications/${ID}/cancel`) {
    service.verification = verificationOf({ state: 'cancelled' })
    return send(200, service.verification)
  }
  if (route === `GET /v1/verifications/${ID}/events`) return stream(service, request, response)
  if (route.startsWith('GET /v1/subjects/'))
    return send(200, { items: service.known.map((verification) => ({ verification })), next: null })
  if (route === 'POST /v1/deployments') {
    service.announced.set(String(request.headers['idempotency-key']), JSON.parse(body.toString('utf8')))
    return send(202, { id: ID, of: 'a newer service' })
  }
  const [, app, , composeHash] = /^\/v1\/apps\/([0-9a-f]{40})\/composes(\/([0-9a-f]{64}))?$/.exec(request.url ?? '') ?? []
  if (app !== undefined) return admitting(service, { app, composeHash, body }, send)
  const blob = service.blobs.get(request.url?.replace('/v1/blobs/', '') ?? '')
  return blob === undefined ? send(404, problemDocument('blob-unknown', 'no such blob', 'look')) : void response.writeHead(200).end(blob)
}

function admitting(
  { admitted }: FakeService,
  { app, composeHash, body }: { readonly app: string; readonly composeHash: string | undefined; readonly body: Buffer },
  send: (status: number, document: unknown) => void,
): void {
  const of = [...admitted.keys()].filter((key) => key.startsWith(app)).map((key) => ({ composeHash: key.slice(41), admittedBy: OWNER }))
  if (composeHash === undefined) return send(200, { items: of })
  admitted.set(`${app}/${composeHash}`, body)
  send(201, { app, composeHash })
}

function stream(service: FakeService, request: IncomingMessage, response: ServerResponse): void {
  const last = String(request.headers['last-event-id'] ?? '')
  service.resumed.push(last)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(': here\n\n')
  const breaks = service.breaks.shift()
  let sent = 0
  for (const event of service.events.filter(({ seq }) => seq > Number(last))) {
    if (sent === breaks) return void response.write(':\n\n', () => response.destroy())
    response.write(`id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`)
    sent += 1
  }
  if (sent === breaks) return void response.write(':\n\n', () => response.destroy())
  if (service.open) return
  const { state, verdict, tier } = service.verification
  response.end(`event: end\ndata: ${JSON.stringify({ verification: ID, state, verdict, tier })}\n\n`)
}

export function problemDocument(code: string, detail: string, hint: string): Record<string, unknown> {
  return { type: `/docs/errors#${code}`, title: code, status: 422, code, detail, hint, instance: 'urn:uuid:1' }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
