import { createPublicKey, verify } from 'node:crypto'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { WorkerPublicKey } from '../app/service/worker-public-key.ts'
import { readContentDigest } from './content-digest.ts'
import { BODILESS, type CoveredRequest, componentsOf, LABEL, paramsOf } from './covered-request.ts'
import { MAX_AGE, MAX_AHEAD, type NonceMemory } from './nonce-memory.ts'
import { signatureBase } from './signature-base.ts'

/** A request as it came in. `header` gives a field by its name in lower case, several of one name joined by commas. */
export type ReceivedRequest = {
  readonly method: string
  /** Path and query, as they stand in the first line of the request. */
  readonly target: string
  readonly header: (name: string) => string | null
}

export type VerifyOptions<W> = {
  /** Who has this key, as long as it counts. */
  readonly withKey: (publicKey: WorkerPublicKey) => Promise<W | undefined>
  readonly now: Date
  readonly nonces: NonceMemory
}

/** One spelling of each field, as `signRequest` writes it: where nothing can be left out or said twice, no two readers see two things. */
const INPUT = new RegExp(
  String.raw`^${LABEL}=(\(["@a-z -]{1,200}\);created=([1-9]\d{0,10});nonce="([A-Za-z0-9_-]{22})";keyid="([^"\\]{1,100})")$`,
)
const SIGNATURE = new RegExp(String.raw`^${LABEL}=:([A-Za-z0-9+/]{86}==):$`)
const CONTENT_TYPE = /^[\x20-\x7e]{1,200}$/

/**
 * Who signed a request, and the digest that its body has to have: null where it has none. The body was not looked at yet; whoever reads
 * it holds it against the digest (`heldAgainst`). Fails with one of `FAILURES`.
 */
export async function verifyRequest<W>(request: ReceivedRequest, o: VerifyOptions<W>): Promise<{ worker: W; body: Sha256 | null }> {
  const { params, created, nonce, publicKey, signature } = readFields(request)
  const covered = coveredBy(request)
  const components = componentsOf(covered)
  // What the signature says it covers has to be all there is, or it would count for what it does not.
  if (params !== paramsOf(components, { created, nonce, keyId: publicKey })) throw refused('worker-signature-malformed')
  const now = Math.floor(o.now.getTime() / 1000)
  if (created < now - MAX_AGE || created > now + MAX_AHEAD) throw refused('worker-signature-stale')
  const worker = await o.withKey(publicKey)
  if (worker === undefined || !isSigned(signatureBase(components, params), publicKey, signature)) throw refused('worker-signature-invalid')
  // Only what is valid is remembered: strangers cannot fill the memory.
  const taken = o.nonces.take({ key: publicKey, nonce, created, now })
  if (taken !== 'new') throw refused(taken === 'again' ? 'worker-signature-replayed' : 'worker-signature-stale')
  return { worker, body: covered.body?.sha256 ?? null }
}

function readFields({ header }: ReceivedRequest) {
  const [inputField, signatureField] = [header('signature-input'), header('signature')]
  if (inputField === null && signatureField === null) throw refused('worker-signature-missing')
  const [, params, created, nonce, keyId] = INPUT.exec(inputField ?? '') ?? []
  const encoded = SIGNATURE.exec(signatureField ?? '')?.[1]
  const publicKey = WorkerPublicKey.safeParse(keyId)
  if (params === undefined || nonce === undefined || encoded === undefined || !publicKey.success)
    throw refused('worker-signature-malformed')
  return { params, created: Number(created), nonce, publicKey: publicKey.data, signature: Buffer.from(encoded, 'base64') }
}

function coveredBy({ method, target, header }: ReceivedRequest): CoveredRequest {
  if (BODILESS.includes(method)) {
    // A body that nobody signed is not to be read by anybody.
    if ((header('content-length') ?? '0') !== '0' || header('transfer-encoding') !== null) throw refused('worker-body-unexpected')
    return { method, target, body: null }
  }
  const field = header('content-digest')
  if (field === null) throw refused('content-digest-missing')
  const sha256 = readContentDigest(field)
  if (sha256 === undefined) throw refused('content-digest-malformed')
  const contentType = header('content-type') ?? ''
  if (!CONTENT_TYPE.test(contentType)) throw refused('worker-signature-malformed')
  return { method, target, body: { contentType, sha256 } }
}

function isSigned(base: Uint8Array, publicKey: WorkerPublicKey, signature: Uint8Array): boolean {
  try {
    return verify(null, base, createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' }), signature)
  } catch {
    return false
  }
}

const SIGN_AS_DOCUMENTED = 'sign it as docs/worker-requests.md says; the command `worker` does'
const FAILURES = {
  'worker-signature-missing': ['the request is not signed', SIGN_AS_DOCUMENTED],
  'worker-signature-malformed': [
    'the signature of the request is not made as the protocol says, or does not cover all of it',
    SIGN_AS_DOCUMENTED,
  ],
  'worker-signature-stale': [
    'the signature of the request is from another time than is taken',
    'set the clock of the worker’s machine right, and sign the request again',
  ],
  'worker-signature-invalid': [
    'the signature of the request does not fit it, or is of a key that no worker here has',
    'register the key with `worker add`, or ask why it was revoked; see that nothing between rewrites path or query',
  ],
  'worker-signature-replayed': ['the request was sent before', 'sign a request anew each time that it is sent'],
  'worker-body-unexpected': ['the request has a body that its signature does not cover', SIGN_AS_DOCUMENTED],
  'content-digest-missing': ['the request has a body and no Content-Digest', SIGN_AS_DOCUMENTED],
  'content-digest-malformed': ['the Content-Digest is not one sha-256', SIGN_AS_DOCUMENTED],
} as const

function refused(code: keyof typeof FAILURES): Failure {
  const [message, hint] = FAILURES[code]
  return new Failure({ code, message, hint })
}
