import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Seen = { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers'] }

export type Intercept = (request: IncomingMessage, response: ServerResponse, fake: FakeRegistry) => boolean | Promise<boolean>

export type FakeOptions = {
  /** Whether it has the referrers API, and whether its answer to a PUT says so. */
  readonly referrers?: 'api' | 'quiet-api' | 'none'
  readonly referrersPerPage?: number
  readonly auth?: 'none' | 'basic' | 'bearer'
  readonly etags?: boolean
  /** Breaks the connections of the first PATCHes once about so many bytes of each arrived. */
  readonly cuts?: readonly number[]
  /** Sees each request first; true: it was answered. */
  readonly intercept?: Intercept
}

export const ACCOUNT = { username: 'somebody', password: 'planted-password-8c1f' }

/** A registry in memory that speaks the distribution protocol, one repository for all names, and does as a test says before that. */
export class FakeRegistry implements AsyncDisposable {
  readonly blobs = new Map<string, Buffer>()
  readonly manifests = new Map<string, { readonly mediaType: string; readonly bytes: Buffer }>()
  readonly tags = new Map<string, string>()
  readonly uploads = new Map<string, Buffer>()
  readonly seen: Seen[] = []
  /** Tokens that are taken. */
  readonly tokens = new Set<string>()
  /** Scopes that tokens were asked for, and as whom. */
  readonly asked: { readonly scopes: readonly string[]; readonly service: string | null; readonly authorization: string | undefined }[] = []
  readonly #server: Server
  readonly #options: FakeOptions
  readonly #cuts: number[]

  private constructor(options: FakeOptions) {
    this.#options = options
    this.#cuts = [...(options.cuts ?? [])]
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy())
    })
  }

  static async start(options: FakeOptions = {}): Promise<FakeRegistry> {
    const fake = new FakeRegistry(options)
    fake.#server.listen(0, '127.0.0.1')
    await once(fake.#server, 'listening')
    return fake
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  requests(method: string, part = ''): Seen[] {
    return this.seen.filter((one) => one.method === method && one.url.includes(part))
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    // The look at which scheme is spoken comes before everything, and is no part of what tests are about.
    if (url === '/v2/') return void response.writeHead(200).end()
    this.seen.push({ method, url, headers })
    if ((await this.#options.intercept?.(request, response, this)) === true) return
    const at = new URL(url, `http://${this.host}`)
    if (at.pathname === '/token') return await this.#token(request, response, at)
    if (!this.#allowed(request)) return this.challenge(response)
    const [, kind = '', rest = ''] = /^\/v2\/.+?\/(blobs\/uploads|blobs|manifests|referrers)\/(.*)$/.exec(at.pathname) ?? []
    if (kind === 'blobs/uploads') return await this.#upload(request, response, { at, id: rest })
    if (kind === 'blobs') return this.#blob(request, response, rest)
    if (kind === 'manifests') return await this.#manifest(request, response, rest)
    if (kind === 'referrers' && (this.#options.referrers ?? 'api') !== 'none') return this.#referrers(response, at, rest)
    response.writeHead(404).end('404 page not found')
  }

  challenge(response: ServerResponse): void {
    const realm = `realm="http://${this.host}/token",service="fake",scope="repository:other:*"`
    const header = this.#options.auth === 'basic' ? 'Basic realm="fake"' : `Bearer ${realm}`
    response.writeHead(401, { 'www-authenticate': header }).end(`who are you, ${ACCOUNT.password}?`)
  }

  #allowed({ headers }: IncomingMessage): boolean {
    const { auth = 'none' } = this.#options
    if (auth === 'none') return true
    const expected = `Basic ${Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')}`
    if (auth === 'basic') return headers.authorization === expected
    return this.tokens.has(headers.authorization?.replace(/^Bearer /, '') ?? '')
  }

  async #token(request: IncomingMessage, response: ServerResponse, at: URL): Promise<void> {
    const form = request.method === 'POST' ? new URLSearchParams((await bodyOf(request)).toString()) : at.searchParams
    const scopes = request.method === 'POST' ? (form.get('scope') ?? '').split(' ') : form.getAll('scope')
    this.asked.push({
      scopes,
      service: form.get('service'),
      authorization: request.headers.authorization ?? form.get('refresh_token') ?? undefined,
    })
    const token = `planted-token-${randomUUID()}`
    this.tokens.add(token)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token, expires_in: 300 }))
  }

  async #upload(request: IncomingMessage, response: ServerResponse, o: { at: URL; id: string }): Promise<void> {
    const base = o.at.pathname.replace(/blobs\/uploads\/.*$/, 'blobs/uploads/')
    if (request.method === 'POST') {
      const mount = o.at.searchParams.get('mount')
      if (mount !== null && o.at.searchParams.has('from') && this.blobs.has(`elsewhere ${mount}`)) {
        this.blobs.set(mount, this.blobs.get(`elsewhere ${mount}`) ?? Buffer.alloc(0))
        return void response.writeHead(201, { 'docker-content-digest': mount }).end()
      }
      const id = randomUUID()
      this.uploads.set(id, Buffer.alloc(0))
      return void response.writeHead(202, { location: `${base}${id}?_state=a%2Bb%3D`, range: '0-0' }).end()
    }
    const sofar = this.uploads.get(o.id)
    if (sofar === undefined) return void response.writeHead(404).end()
    const range = (bytes: Buffer): string => `0-${Math.max(bytes.length - 1, 0)}`
    const location = `${base}${o.id}?_state=a%2Bb%3D`
    if (request.method === 'GET') return void response.writeHead(204, { location, range: range(sofar) }).end()
    if (request.method === 'PATCH') {
      const from = /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1]
      if (from !== undefined && Number(from) !== sofar.length) return void response.writeHead(416, { location, range: range(sofar) }).end()
      // What arrived before a connection broke is kept, as registries do.
      const body = await bodyOf(request, this.#cuts.shift(), (part) =>
        this.uploads.set(o.id, Buffer.concat([this.uploads.get(o.id) ?? Buffer.alloc(0), part])),
      )
      const now = Buffer.concat([sofar, body])
      this.uploads.set(o.id, now)
      return void response.writeHead(202, { location, range: range(now) }).end()
    }
    const whole = Buffer.concat([sofar, await bodyOf(request)])
    const digest = o.at.searchParams.get('digest') ?? ''
    if (digestOf(whole) !== digest || o.at.searchParams.get('_state') !== 'a+b=') return void response.writeHead(400).end()
    this.uploads.delete(o.id)
    this.blobs.set(digest, whole)
    response.writeHead(201, { location: o.at.pathname, 'docker-content-digest': digest }).end()
  }

  #blob(request: IncomingMessage, response: ServerResponse, digest: string): void {
    const bytes = this.blobs.get(digest)
    if (bytes === undefined) return void response.writeHead(404).end()
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const headers = { 'docker-content-digest': digest, 'content-length': bytes.length - from }
    const range = from === 0 ? {} : { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
    response.writeHead(from === 0 ? 200 : 206, { ...headers, ...range }).end(request.method === 'HEAD' ? undefined : bytes.subarray(from))
  }

  async #manifest(request: IncomingMessage, response: ServerResponse, reference: string): Promise<void> {
    const etag = (digest: string): Record<string, string> => (this.#options.etags === true ? { etag: `"${digest}"` } : {})
    if (request.method === 'PUT') {
      const bytes = await bodyOf(request)
      const digest = digestOf(bytes)
      const current = this.tags.get(reference)
      if (this.#options.etags === true) {
        const { 'if-match': match, 'if-none-match': none } = request.headers
        if ((match !== undefined && match !== `"${current}"`) || (none === '*' && current !== undefined))
          return void response.writeHead(412).end()
      }
      if (reference.startsWith('sha256:') && reference !== digest) return void response.writeHead(400).end()
      this.manifests.set(digest, { mediaType: request.headers['content-type'] ?? '', bytes })
      if (!reference.startsWith('sha256:')) this.tags.set(reference, digest)
      const subject = (JSON.parse(bytes.toString()) as { subject?: { digest: string } }).subject?.digest
      const api = (this.#options.referrers ?? 'api') === 'api' && subject !== undefined
      response.writeHead(201, { 'docker-content-digest': digest, ...(api ? { 'oci-subject': subject } : {}) }).end()
      return
    }
    const digest = reference.startsWith('sha256:') ? reference : (this.tags.get(reference) ?? '')
    const manifest = this.manifests.get(digest)
    if (manifest === undefined) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': manifest.mediaType, 'docker-content-digest': digest, ...etag(digest) }).end(manifest.bytes)
  }

  #referrers(response: ServerResponse, at: URL, subject: string): void {
    const all = [...this.manifests].flatMap(([digest, { mediaType, bytes }]) => {
      const manifest = JSON.parse(bytes.toString()) as { subject?: { digest: string }; artifactType?: string; annotations?: object }
      if (manifest.subject?.digest !== subject) return []
      return [{ mediaType, digest, size: bytes.length, artifactType: manifest.artifactType, annotations: manifest.annotations }]
    })
    const from = Number(at.searchParams.get('from') ?? 0)
    const to = from + (this.#options.referrersPerPage ?? all.length)
    const link = to < all.length ? { link: `<${at.pathname}?from=${to}>; rel="next"` } : {}
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    response
      .writeHead(200, { 'content-type': mediaType, ...link })
      .end(JSON.stringify({ schemaVersion: 2, mediaType, manifests: all.slice(from, to) }))
  }
}

/** Answers, and says that it did, as `intercept` is to. */
export function answer(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number> = {},
  body?: string | Uint8Array,
): true {
  response.writeHead(status, headers).end(body)
  return true
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function bodyOf(request: IncomingMessage, cut = Number.POSITIVE_INFINITY, onCut: (part: Buffer) => void = () => {}): Promise<Buffer> {
  const parts: Buffer[] = []
  let left = cut
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      parts.push(part)
      left -= part.length
      if (left <= 0) request.socket.destroy()
    }
  } catch (error) {
    onCut(Buffer.concat(parts))
    throw error
  }
  return Buffer.concat(parts)
}
