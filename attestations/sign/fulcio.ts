import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import type { Signer } from '@sigstore/sign'
import { z } from 'zod'
import { askService, below, readJson } from './ask-service.ts'
import { type CertifiedIdentity, identityOfCertificate } from './certificate-identity.ts'
import type { Patience } from './http-answer.ts'
import type { IdentityToken } from './identity-token.ts'
import { serviceFailure } from './service-failure.ts'

const Chain = z.looseObject({ chain: z.looseObject({ certificates: z.array(z.string().max(65_536)).min(1).max(16) }) })
const Reply = z.union([
  z.looseObject({ signedCertificateEmbeddedSct: Chain }).transform((reply) => reply.signedCertificateEmbeddedSct),
  z.looseObject({ signedCertificateDetachedSct: Chain }).transform((reply) => reply.signedCertificateDetachedSct),
])

export type Certified = {
  readonly identity: CertifiedIdentity
  readonly certificate: X509Certificate
  /** Signs with the key that the certificate is for. It is made for this certificate and held in memory alone. */
  readonly signer: Signer
}

/**
 * Has Fulcio (`POST api/v2/signingCert`) certify a fresh P-256 key for the identity of a token. The certificate is one of this very key, or
 * there is none: `fulcio-wrong`. Whether the authority is one to trust is for verifiers and their trust root.
 */
export async function certify(o: {
  readonly fulcio: URL
  readonly token: IdentityToken
  readonly patience: Patience
  readonly signal: AbortSignal
}): Promise<Certified> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const request = {
    credentials: { oidcIdentityToken: o.token.secret.reveal() },
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: publicKey.export({ type: 'spki', format: 'pem' }) },
      proofOfPossession: sign('sha256', Buffer.from(o.token.challenge), privateKey).toString('base64'),
    },
  }
  const { body } = await askService(
    'fulcio',
    {
      url: below(o.fulcio, 'api/v2/signingCert'),
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(request),
      patience: o.patience,
      signal: o.signal,
    },
    [200, 201],
  )
  const [leaf = ''] = readJson('fulcio', Reply, body).chain.certificates
  const { certificate, identity } = readCertificate(leaf)
  if (identity === undefined || !certificate.publicKey.equals(publicKey)) throw serviceFailure('fulcio', 'wrong')
  return { identity, certificate, signer: signerOf(privateKey, certificate) }
}

function readCertificate(pem: string): { certificate: X509Certificate; identity: CertifiedIdentity | undefined } {
  try {
    const certificate = new X509Certificate(pem)
    return { certificate, identity: identityOfCertificate(certificate.raw) }
  } catch {
    throw serviceFailure('fulcio', 'malformed')
  }
}

function signerOf(privateKey: KeyObject, certificate: X509Certificate): Signer {
  return {
    sign: (data) =>
      Promise.resolve({
        signature: sign('sha256', data, privateKey),
        key: { $case: 'x509Certificate', certificate: certificate.toString() },
      }),
  }
}
