import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { AddressRefused, connectOnly, type ResolveAll } from '../../verifier/address/connect-only.ts'
import { isPublicAddress } from '../../verifier/address/public-address.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { formatGatewayUrl } from '../app/deploy/gateway-url.ts'
import type { GuestAnswer, GuestDoor, GuestQuestion, PeerCertificate, Unanswered } from '../app/inspect/inspect-ports.ts'
import { type ListedGateway, listedGateway } from './gateway-list.ts'
import { peerCertificate } from './peer-certificate.ts'

export type GuestDoorOptions = {
  readonly gateways: readonly ListedGateway[]
  /** For one question: connecting, and the answer to its end. 20 if not given. */
  readonly seconds?: number
  /** The system's, if not given. */
  readonly resolve?: ResolveAll
}

const SECONDS = 20

/** Asks guests over HTTPS, through gateways that are listed and nothing else. */
export function openGuestDoor(o: GuestDoorOptions): GuestDoor {
  return {
    async ask(question, signal) {
      const gateway = listedGateway(question.url.base, o.gateways)
      if (gateway === undefined)
        throw new Failure({
          code: 'gateway-not-listed',
          message: 'the domain of the URL is on no list of gateways',
          hint: 'only gateways that are listed are asked: BITWITNESS_GATEWAYS lists them',
        })
      const late = AbortSignal.timeout((o.seconds ?? SECONDS) * 1000)
      const answer = await ask(question, { ...gateway, resolve: o.resolve }, AbortSignal.any([signal, late]))
      signal.throwIfAborted()
      return answer.status === null && late.aborted ? { ...answer, why: 'late' } : answer
    },
  }
}

type Way = ListedGateway & { readonly resolve: ResolveAll | undefined }

/** What was seen of a connection by the time that it ends. */
type Seen = { certificate: PeerCertificate | null }

async function ask(question: GuestQuestion, way: Way, signal: AbortSignal): Promise<GuestAnswer> {
  const seen: Seen = { certificate: null }
  try {
    const answer = await send(question, way, seen, signal)
    const body = await bodyOf(answer, question.maxBytes)
    if (typeof body === 'string') return { status: null, why: body, certificate: seen.certificate }
    return { status: answer.statusCode ?? 0, body, certificate: seen.certificate }
  } catch (error) {
    return { status: null, why: whyOf(error), certificate: seen.certificate }
  }
}

async function send(
  { url, path, json }: GuestQuestion,
  { connect, resolve }: Way,
  seen: Seen,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { hostname, host } = new URL(formatGatewayUrl(url))
  const body = json === undefined ? null : JSON.stringify(json)
  const lookup = connect === null ? { lookup: connectOnly(hostname, isPublicAddress, resolve) } : {}
  return await new Promise<IncomingMessage>((settle, reject) => {
    const outgoing = request({
      // An agent of its own: no connection is shared, and none goes through a proxy of the environment.
      agent: false,
      host: connect?.host ?? hostname,
      port: connect?.port ?? url.externalPort,
      servername: hostname,
      // Of a certificate that is the guest's own, its quote says more than any authority.
      rejectUnauthorized: url.way !== 'tls',
      ...lookup,
      method: body === null ? 'GET' : 'POST',
      path,
      signal,
      headers: {
        host,
        accept: '*/*',
        'accept-encoding': 'identity',
        'user-agent': 'bitwitness',
        ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
      },
    })
    outgoing.on('socket', (socket) =>
      socket.once('secureConnect', () => {
        const { authorized, peer } = { authorized: (socket as TLSSocket).authorized, peer: (socket as TLSSocket).getPeerX509Certificate() }
        seen.certificate = peer === undefined ? null : peerCertificate(peer.raw, authorized)
      }),
    )
    outgoing.on('error', reject)
    outgoing.on('response', (answer) => {
      // Later errors of the body reach whoever reads it; one that nobody reads must not end the process.
      answer.on('error', () => {})
      settle(answer)
    })
    outgoing.end(body ?? undefined)
  })
}

async function bodyOf(answer: IncomingMessage, most: number): Promise<Uint8Array | Unanswered> {
  try {
    const stated = answer.headers['content-length']
    // Without either a body that was cut short cannot be told from a whole one.
    const hasBody = answer.statusCode !== 204 && answer.statusCode !== 304
    if (hasBody && stated === undefined && answer.headers['transfer-encoding'] !== 'chunked') return 'cut-short'
    if (Number(stated ?? 0) > most) return 'too-large'
    const parts: Buffer[] = []
    let size = 0
    for await (const part of answer as AsyncIterable<Buffer>) {
      size += part.length
      if (size > most) return 'too-large'
      parts.push(part)
    }
    return Buffer.concat(parts)
  } catch {
    return 'cut-short'
  } finally {
    answer.destroy()
  }
}

/** As OpenSSL and Node name what they hold against a certificate. */
const UNTRUSTED = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH)/

function whyOf(error: unknown): Unanswered {
  if (error instanceof AddressRefused) return 'private'
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' && UNTRUSTED.test(code) ? 'untrusted' : 'unreachable'
}
