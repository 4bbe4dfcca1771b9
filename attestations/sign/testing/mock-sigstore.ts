import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fulcioHandler, initializeCA, initializeCTLog, initializeTLog, initializeTSA, tsaHandler } from '@sigstore/mock'
import { z } from 'zod'
import { FakeRekorV2 } from './fake-rekor-v2.ts'
import { MockIssuer } from './mock-issuer.ts'
import { MockRekorV1 } from './mock-rekor-v1.ts'
import type { Reply } from './mock-reply.ts'

export type MockService = 'fulcio' | 'rekor1' | 'rekor2' | 'tsa' | 'issuer'

export type MockRequest = {
  readonly service: MockService
  readonly method: string
  /** Below the service's address, query included. */
  readonly path: string
  readonly authorization: string | null
  readonly body: string
  /** How many requests this service has had, this one included. */
  readonly count: number
}

/** Answers in a server's stead; `honest` does what it does, to the request or to another, and gives what it answers. */
export type Meddler = (request: MockRequest, honest: (instead?: MockRequest) => Promise<Reply>) => Reply | Promise<Reply>

export type MockSigstore = AsyncDisposable & {
  /** Base addresses, each ending in a slash; that of `tsa` is whole. `issuer` answers a GET with `{"value": token}`. */
  readonly urls: Readonly<Record<MockService, URL>>
  /** trusted_root.json of all of it. */
  readonly trustedRoot: object
  /** An identity token that this Fulcio accepts. `sub` if nothing else is said: `https://rebuilder.mock/a`. */
  readonly token: (claims?: Readonly<Record<string, unknown>>) => string
  /** Has a server answer something else from now on; null makes it honest again. */
  readonly meddle: (service: MockService, meddler: Meddler | null) => void
  readonly requests: readonly MockRequest[]
}

const VALID_FOR = { start: '2020-01-01T00:00:00Z' }
const DEFAULT_CLAIMS = { sub: 'https://rebuilder.mock/a' }
const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/**
 * Fulcio, its CT log, Rekor v1, Rekor v2, a timestamp authority and an issuer of identity tokens on one port of 127.0.0.1, in this process.
 * Bundles made with it verify with its trust root in all verifiers. Certificates name everybody in a URI, e-mail addresses too.
 */
export async function startMockSigstore(): Promise<MockSigstore> {
  const keys = { ca: pair(), ct: pair(), log: pair(), tsa: pair() }
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = new MockIssuer(`${base}/issuer`)
  const ca = await initializeCA(keys.ca, await initializeCTLog(keys.ct))
  const rekor1 = new MockRekorV1(await initializeTLog('https://rekor1.mock', keys.log))
  const rekor2 = new FakeRekorV2('rekor2.mock')
  // Whole seconds, as the real one gives them: the mock drops zeros at the end of a fraction, and the verifiers' parser wants all three.
  const clock = new Date()
  const tsa = await initializeTSA(keys.tsa, clock)
  const mint = (claims: Readonly<Record<string, unknown>> = {}): string => issuer.mint({ ...DEFAULT_CLAIMS, ...claims })

  const honest = async (request: MockRequest): Promise<Reply> => {
    const { method, path, body } = request
    switch (`${request.service} ${method} ${path.replace(/\?.*$/, '')}`) {
      case 'fulcio POST api/v2/signingCert':
        return await certify(body, issuer, fulcioHandler(ca))
      case 'rekor1 POST api/v1/log/entries':
        return await rekor1.create(body)
      case 'rekor2 POST api/v2/log/entries':
        return rekor2.create(body)
      case 'tsa POST api/v1/timestamp':
        clock.setTime(Math.floor(Date.now() / 1000) * 1000)
        return adapted(await tsaHandler(tsa).fn(body))
      case 'issuer GET token':
        return { status: 200, type: 'application/json', body: JSON.stringify({ value: mint() }) }
      default: {
        const uuid = /^api\/v1\/log\/entries\/([0-9a-f]+)$/.exec(path)?.[1]
        return uuid === undefined ? { status: 404, body: 'not found' } : rekor1.get(uuid)
      }
    }
  }
  const requests: MockRequest[] = []
  const meddlers = new Map<MockService, Meddler>()
  server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
    void serve(incoming, response, { honest, requests, meddlers })
  })
  return {
    urls: {
      fulcio: new URL(`${base}/fulcio/`),
      rekor1: new URL(`${base}/rekor1/`),
      rekor2: new URL(`${base}/rekor2/`),
      tsa: new URL(`${base}/tsa/api/v1/timestamp`),
      issuer: new URL(`${base}/issuer/token`),
    },
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [trustedKey('https://rekor1.mock', keys.log.publicKey), rekor2.trustedLog(VALID_FOR)],
      ctlogs: [trustedKey('https://ct.mock', keys.ct.publicKey)],
      certificateAuthorities: [authority([ca.rootCertificate])],
      timestampAuthorities: [authority([tsa.intCertificate, tsa.rootCertificate])],
    },
    token: mint,
    meddle: (service, meddler) => void (meddler === null ? meddlers.delete(service) : meddlers.set(service, meddler)),
    requests,
    [Symbol.asyncDispose]: () => close(server),
  }
}

type Serving = {
  readonly honest: (request: MockRequest) => Promise<Reply>
  readonly requests: MockRequest[]
  readonly meddlers: ReadonlyMap<MockService, Meddler>
}

async function serve(incoming: IncomingMessage, response: ServerResponse, { honest, requests, meddlers }: Serving): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part as Buffer)
  const [, service = '', path = ''] = /^\/([a-z0-9]+)\/(.*)$/.exec(incoming.url ?? '') ?? []
  const request: MockRequest = {
    service: service as MockService,
    method: incoming.method ?? '',
    path,
    authorization: incoming.headers.authorization ?? null,
    body: Buffer.concat(parts).toString('utf8'),
    count: requests.filter((earlier) => earlier.service === service).length + 1,
  }
  requests.push(request)
  const meddler = meddlers.get(request.service)
  // What cannot be read at all is the client's fault, as with the real servers.
  const answer = (asked = request): Promise<Reply> => honest(asked).catch(() => ({ status: 400, body: 'bad request' }))
  const reply = meddler === undefined ? await answer() : await meddler(request, answer)
  if (reply === 'hang') return
  if (reply === 'reset') {
    incoming.socket.destroy()
    return
  }
  const location = reply.location === undefined ? {} : { location: reply.location }
  response.writeHead(reply.status, { 'content-type': reply.type ?? 'text/plain', ...location }).end(reply.body)
}

const CertificateRequest = z.looseObject({
  credentials: z.looseObject({ oidcIdentityToken: z.string() }),
  publicKeyRequest: z.looseObject({ publicKey: z.looseObject({ content: z.string() }), proofOfPossession: z.base64() }),
})

/** What the mock's Fulcio leaves out: whether the token is good and the key is held, and the name that Fulcio makes of the claims. */
async function certify(body: string, issuer: MockIssuer, handler: ReturnType<typeof fulcioHandler>): Promise<Reply> {
  const { credentials, publicKeyRequest } = CertificateRequest.parse(JSON.parse(body))
  const claims = issuer.accept(credentials.oidcIdentityToken)
  if (claims === undefined) return { status: 401, body: 'there was an error processing the identity token' }
  const { sub = '', email, job_workflow_ref } = claims
  const proof = Buffer.from(publicKeyRequest.proofOfPossession, 'base64')
  if (!verify('sha256', Buffer.from(email ?? sub), createPublicKey(publicKeyRequest.publicKey.content), proof))
    return { status: 400, body: 'the signature supplied in the request could not be verified' }
  const name = email ?? (job_workflow_ref === undefined ? sub : `https://github.com/${job_workflow_ref}`)
  const oidcIdentityToken = issuer.mint({ ...claims, sub: name })
  return adapted(await handler.fn(JSON.stringify({ publicKeyRequest, credentials: { oidcIdentityToken } })))
}

function adapted(reply: { statusCode: number; response: string | ArrayBufferView; contentType?: string }): Reply {
  const { statusCode, response, contentType } = reply
  const body = typeof response === 'string' ? response : Buffer.from(response.buffer, response.byteOffset, response.byteLength)
  return { status: statusCode, body, ...(contentType === undefined ? {} : { type: contentType }) }
}

function trustedKey(baseUrl: string, publicKey: KeyObject): object {
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: der.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: VALID_FOR },
    logId: { keyId: createHash('sha256').update(der).digest('base64') },
  }
}

/** Leaf first. */
function authority(certificates: readonly ArrayBufferView[]): object {
  const base64 = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
    Buffer.from(buffer, byteOffset, byteLength).toString('base64')
  return {
    subject: { organization: 'sigstore.mock', commonName: 'mock' },
    certChain: { certificates: certificates.map((certificate) => ({ rawBytes: base64(certificate) })) },
    validFor: VALID_FOR,
  }
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}
