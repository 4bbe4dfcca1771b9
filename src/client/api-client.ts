import type { z } from 'zod'
import { type Answer, askServer, PATIENCE, type Patience } from '../../attestations/sign/http-answer.ts'
import type { TokenSource } from '../../attestations/sign/identity-token.ts'
import { parseSha256, type Sha256 } from '../../verifier/model/digest.ts'
import { jsonOf } from '../../verifier/model/json-of.ts'
import type { SubmissionRequest } from '../app/service/api-documents.ts'
import type { DeploymentRequest } from '../app/service/deployment-documents.ts'
import {
  AdmittedAnswer,
  AnnouncedAnswer,
  ComposesAnswer,
  ImpactAnswer,
  KnownAnswer,
  SubmittedAnswer,
  UploadedAnswer,
  VerificationAnswer,
} from './answers.ts'
import { malformed, problemOf, unreachable } from './failures.ts'

export type ApiClientOptions = {
  /** With a slash at its end. */
  readonly server: URL
  /** Asked at each request that needs one: a CI's tokens are short-lived. */
  readonly token: TokenSource
  readonly patience?: Patience
}

/** A report names every artifact, comparison and finding. */
const MAX_DOCUMENT = 64 << 20
/** Of one upload, ms: a gigabyte in two hours. */
const UPLOAD_TIME = 7_200_000
/** The service takes a minute at most, ms. */
const IMPACT_TIME = 90_000

type Body = { readonly type: string; readonly bytes: string | Blob }

/**
 * A service as a client sees it. Failures carry the code, the sentence and the hint of the service; `server-unreachable`,
 * `server-answer-malformed`, `server-refused` and those of the token are ours. Redirects are not followed: they could lead the token away.
 */
export class ApiClient {
  readonly #server: URL
  readonly #token: TokenSource
  readonly #patience: Patience

  constructor({ server, token, patience = PATIENCE }: ApiClientOptions) {
    this.#server = server
    this.#token = token
    this.#patience = patience
  }

  /** Where a path of the API lies, such as `v1/verifications`. */
  url(path: string): URL {
    return new URL(path, this.#server)
  }

  /** Sends bytes that have this digest; the service keeps them for a while. Fails with `server-answer-malformed` where it got others. */
  async upload(bytes: Blob, sha256: Sha256, signal: AbortSignal): Promise<void> {
    const patience = { ...this.#patience, timeout: UPLOAD_TIME }
    const answer = await this.#write('v1/uploads', { type: 'application/octet-stream', bytes }, { patience, signal })
    if (this.#read(answer, UploadedAnswer).sha256 !== sha256) throw malformed()
  }

  /** The same request with the same key is answered like the first. */
  async submit(request: SubmissionRequest, key: string, signal: AbortSignal): Promise<SubmittedAnswer> {
    const body = { type: 'application/json', bytes: JSON.stringify(request) }
    return this.#read(await this.#write('v1/verifications', body, { signal, headers: { 'idempotency-key': key } }), SubmittedAnswer)
  }

  async verification(id: string, signal: AbortSignal): Promise<VerificationAnswer> {
    return this.#read(await this.#get(`v1/verifications/${id}`, signal), VerificationAnswer)
  }

  async cancel(id: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#write(`v1/verifications/${id}/cancel`, { type: 'application/json', bytes: '{}' }, { signal })
    if (answer.status >= 400) throw problemOf(answer.status, answer.body)
  }

  /** What a policy would do to the apps of the service. */
  async policyImpact(
    draft: Uint8Array,
    { replaces, days }: { readonly replaces: string | null; readonly days: number },
    signal: AbortSignal,
  ): Promise<ImpactAnswer> {
    const query = new URLSearchParams({ days: String(days), ...(replaces === null ? {} : { replaces }) })
    const body = { type: 'application/octet-stream', bytes: new Blob([Buffer.from(draft)]) }
    const patience = { ...this.#patience, timeout: IMPACT_TIME }
    return this.#read(await this.#write(`v1/decisions/impact?${query.toString()}`, body, { signal, patience }), ImpactAnswer)
  }

  /** A blob that the service shows. Its bytes are those of the digest. */
  async blob(sha256: Sha256, signal: AbortSignal): Promise<Uint8Array> {
    const { status, body } = await this.#get(`v1/blobs/${sha256}`, signal)
    if (status !== 200) throw problemOf(status, body)
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(body))).toString('hex')
    if (parseSha256(digest) !== sha256) throw malformed()
    return body
  }

  /** Verifications of which a digest is an artifact or a claim, at most a page of them. */
  async about(sha256: Sha256, signal: AbortSignal): Promise<readonly VerificationAnswer[]> {
    return this.#read(await this.#get(`v1/subjects/${sha256}`, signal), KnownAnswer).items.map(({ verification }) => verification)
  }

  /** Needs a token of the scope `admit`. Again changes nothing. */
  async admit(o: { readonly app: string; readonly composeHash: Sha256; readonly bytes: Uint8Array }, signal: AbortSignal): Promise<void> {
    const body = { type: 'application/octet-stream', bytes: new Blob([new Uint8Array(o.bytes)]) }
    const path = `v1/apps/${o.app}/composes/${o.composeHash}`
    const answer = this.#read(await this.#write(path, body, { method: 'PUT', signal }), AdmittedAnswer)
    if (answer.app !== o.app || answer.composeHash !== o.composeHash) throw malformed()
  }

  async composesOf(app: string, signal: AbortSignal): Promise<ComposesAnswer['items']> {
    return this.#read(await this.#get(`v1/apps/${app}/composes`, signal), ComposesAnswer).items
  }

  /** Needs a token of the scope `deploy`. Gives the id that the service knows it by; the same key gives the same. */
  async announce(request: Extract<DeploymentRequest, { kind: 'announced' }>, key: string, signal: AbortSignal): Promise<string> {
    const body = { type: 'application/json', bytes: JSON.stringify(request) }
    return this.#read(await this.#write('v1/deployments', body, { signal, headers: { 'idempotency-key': key } }), AnnouncedAnswer).id
  }

  #read<S extends z.ZodType>({ status, body }: Answered, schema: S): z.infer<S> {
    if (status >= 400) throw problemOf(status, body)
    const read = schema.safeParse(status < 300 ? jsonOf(Buffer.from(body).toString('utf8')) : undefined)
    if (!read.success) throw malformed()
    return read.data
  }

  async #get(path: string, signal: AbortSignal): Promise<Answered> {
    const headers = { accept: 'application/json, */*;q=0.1' }
    return answered(
      await askServer({ url: this.url(path), method: 'GET', headers, maxBytes: MAX_DOCUMENT, patience: this.#patience, signal }),
    )
  }

  async #write(
    path: string,
    body: Body,
    o: {
      readonly signal: AbortSignal
      readonly method?: 'POST' | 'PUT'
      readonly patience?: Patience
      readonly headers?: Readonly<Record<string, string>>
    },
  ): Promise<Answered> {
    const token = await this.#token(o.signal)
    const headers = { ...o.headers, accept: 'application/json', 'content-type': body.type, authorization: `Bearer ${token.reveal()}` }
    const { signal, patience = this.#patience, method = 'POST' } = o
    return answered(await askServer({ url: this.url(path), method, headers, body: body.bytes, maxBytes: MAX_DOCUMENT, patience, signal }))
  }
}

type Answered = Extract<Answer, { kind: 'answered' }>

function answered(answer: Answer): Answered {
  switch (answer.kind) {
    case 'answered':
      return answer
    case 'unreachable':
      throw unreachable(answer.errno ?? 'no connection')
    case 'timeout':
      throw unreachable('no answer in time')
    case 'too-long':
      throw malformed()
  }
}
