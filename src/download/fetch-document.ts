import type { IncomingMessage } from 'node:http'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { AddressRefused, connectOnly } from '../../verifier/address/connect-only.ts'
import { isPublicAddress } from '../../verifier/address/public-address.ts'
import { Failure } from '../../verifier/model/failure.ts'

export type DocumentAccess = {
  readonly plainHttp: boolean
  readonly privateHosts: boolean
}

const LIMITS = { bytes: 64 << 20, seconds: 60, redirects: 3 }

type DocumentFailureCode = keyof typeof FAILURES
const FAILURES = {
  'document-url-refused': ['the URL is not one that is fetched from', 'give an https URL without user name and password'],
  'document-host-private': [
    'the host of the URL has an address that is not of the public internet',
    'allow it by BITWITNESS_SOURCES_ALLOW=private-hosts, if you mean it',
  ],
  'document-unreachable': ['the URL could not be fetched', 'check the network, or fetch the file by hand and give its path'],
  'document-timeout': ['the URL was not answered in time', 'try again, or fetch the file by hand and give its path'],
  'document-refused': ['the server does not give the document', 'check the URL'],
  'document-too-large': [
    'the URL answers more than a document of bundles can have',
    'check the URL; fetch a large proof by hand and give its path',
  ],
  'document-redirected-too-often': ['the URL leads from one place to the next', 'give the URL where the document is'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>

function documentFailure(code: DocumentFailureCode, cause?: unknown): Failure {
  const [message, hint] = FAILURES[code]
  return new Failure({ code, message, hint, retryable: code === 'document-unreachable' || code === 'document-timeout', cause })
}

/**
 * What a URL answers. Only https, only addresses of the public internet, a bounded number of bytes and seconds; each redirection is looked
 * at anew. The bytes are a stranger's. Rejects with `document-…` failures, or with the signal's reason.
 */
export async function fetchDocument(url: URL, access: DocumentAccess, signal: AbortSignal): Promise<Uint8Array> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.seconds * 1000)])
  let target = url
  for (let redirects = 0; redirects <= LIMITS.redirects; redirects += 1) {
    const answer = await ask(target, access, stop).catch((error: unknown) => {
      signal.throwIfAborted()
      throw said(error, stop)
    })
    if (answer.kind === 'document') return answer.bytes
    target = answer.to
  }
  throw documentFailure('document-redirected-too-often')
}

type Answer = { readonly kind: 'document'; readonly bytes: Uint8Array } | { readonly kind: 'redirect'; readonly to: URL }

async function ask(url: URL, access: DocumentAccess, signal: AbortSignal): Promise<Answer> {
  const secure = url.protocol === 'https:'
  if (!(secure || (access.plainHttp && url.protocol === 'http:')) || url.username !== '' || url.password !== '')
    throw documentFailure('document-url-refused')
  const lookup = connectOnly(url.hostname, (address) => access.privateHosts || isPublicAddress(address))
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { lookup, signal, agent: false, headers: { accept: 'application/json, application/x-tar' } }
    const request = secure ? requestHttps(url, options, resolve) : requestHttp(url, options, resolve)
    request.on('error', reject)
    request.end()
  })
  try {
    const status = response.statusCode ?? 0
    if ([301, 302, 303, 307, 308].includes(status)) return { kind: 'redirect', to: redirectTarget(response.headers.location, url) }
    if (status !== 200) throw documentFailure('document-refused')
    return { kind: 'document', bytes: await read(response) }
  } finally {
    response.destroy()
  }
}

function redirectTarget(location: string | undefined, from: URL): URL {
  const to = location === undefined ? null : URL.parse(location, from.href)
  if (to === null) throw documentFailure('document-refused')
  return to
}

async function read(response: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length
    if (length > LIMITS.bytes) throw documentFailure('document-too-large')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function said(error: unknown, stop: AbortSignal): unknown {
  if (error instanceof Failure) return error
  if (error instanceof AddressRefused) return documentFailure('document-host-private')
  return documentFailure(stop.aborted ? 'document-timeout' : 'document-unreachable', error)
}
