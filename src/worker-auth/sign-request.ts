import { contentDigest } from './content-digest.ts'
import { type CoveredRequest, componentsOf, LABEL, paramsOf } from './covered-request.ts'
import { signatureBase } from './signature-base.ts'
import type { WorkerKey } from './worker-key.ts'

/**
 * The fields that a worker sends with a request, names in lower case (RFC 9421 with ed25519, RFC 9530). A request that is sent again is
 * signed again: a nonce counts once. `nonce`: 16 random bytes.
 */
export function signRequest(
  request: CoveredRequest,
  { key, now, nonce }: { readonly key: WorkerKey; readonly now: Date; readonly nonce: Uint8Array },
): Readonly<Record<string, string>> {
  const components = componentsOf(request)
  const params = paramsOf(components, {
    created: Math.floor(now.getTime() / 1000),
    nonce: Buffer.from(nonce).toString('base64url'),
    keyId: key.publicKey,
  })
  const signature = key.sign(signatureBase(components, params)).toString('base64')
  return {
    ...(request.body === null ? {} : { 'content-type': request.body.contentType, 'content-digest': contentDigest(request.body.sha256) }),
    'signature-input': `${LABEL}=${params}`,
    signature: `${LABEL}=:${signature}:`,
  }
}
