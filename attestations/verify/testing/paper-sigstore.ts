import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { dsse } from '@sigstore/core'
import { initializeCA, initializeCTLog, initializeTSA } from '@sigstore/mock'
import { PAYLOAD_TYPE } from '../../statement/predicate-types.ts'
import type { BundleShape } from '../bundle-shape.ts'
import { type PaperLog, paperRekorV1, paperRekorV2 } from './paper-log.ts'

export const SIGNER = { subjectAlternativeName: 'https://witness.example/rebuilders/alpha', issuer: 'https://issuer.example' } as const

const VALID_FOR = { start: '2020-01-01T00:00:00Z' }
export const pair = (): { publicKey: KeyObject; privateKey: KeyObject } => generateKeyPairSync('ec', { namedCurve: 'P-256' })

type Document = Record<string, unknown>

export type SignRequest = {
  /** Exact bytes of the statement. */
  readonly statement: Uint8Array
  readonly payloadType?: string
  /** With a certificate by this authority, or with a key. */
  readonly with: { readonly certificate: CertificateRequest } | { readonly key: { publicKey: KeyObject; privateKey: KeyObject } }
  readonly logs?: readonly PaperLog[]
  readonly timestamps?: number
  readonly at?: Date
}
export type CertificateRequest = {
  readonly subjectAlternativeName?: string
  readonly issuer?: string
  /** When it was issued; it is valid for ten minutes. */
  readonly at?: Date
  /** Whether a certificate log vouches for it. */
  readonly logged?: boolean
  /** What becomes of it before it is used and logged. */
  readonly change?: (der: Buffer) => Buffer
}

export type PaperSigstore = Awaited<ReturnType<typeof paperSigstore>>

/**
 * Everything that a bundle rests on, without servers: an authority with its certificate log, both kinds of Rekor, a timestamp authority.
 * Unlike servers it makes what no honest one would, at any time.
 */
export async function paperSigstore() {
  const keys = { ca: pair(), ct: pair(), tsa: pair() }
  // The mock keeps the very object that it is given, so that it can be set.
  const clock = new Date()
  const ca = await initializeCA(keys.ca, await initializeCTLog(keys.ct), clock)
  const unloggedCa = await initializeCA(keys.ca, undefined, clock)
  const tsa = await initializeTSA(keys.tsa, clock)
  const [rekor1, rekor2] = [paperRekorV1(), paperRekorV2()]
  const set = (at: Date): void => {
    // Whole seconds, as Sigstore's own authority writes them: its library reads no fraction but of three digits, and DER drops zeros.
    clock.setTime(Math.floor(at.getTime() / 1000) * 1000)
  }

  const certify = async (publicKey: KeyObject, o: CertificateRequest): Promise<Buffer> => {
    set(o.at ?? new Date())
    const issuing = o.logged === false ? unloggedCa : ca
    const issuer = o.issuer ?? SIGNER.issuer
    const certificate = await issuing.issueCertificate({
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      subjectAltName: o.subjectAlternativeName ?? SIGNER.subjectAlternativeName,
      extensions: [
        { oid: '1.3.6.1.4.1.57264.1.1', value: issuer, legacy: true },
        { oid: '1.3.6.1.4.1.57264.1.8', value: issuer },
      ],
    })
    return (o.change ?? ((der) => der))(bytesOf(certificate))
  }

  const timestamp = async (signature: Buffer, at = new Date()): Promise<string> => {
    set(at)
    const reply = await tsa.timestamp({
      artifactHash: createHash('sha256').update(signature).digest(),
      hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
      nonce: 1,
      policyOID: '1.3.6.1.4.1.57264.2',
      certReq: true,
    })
    return bytesOf(reply).toString('base64')
  }

  const signBundle = async (o: SignRequest): Promise<BundleShape> => {
    const { publicKey, privateKey } = 'key' in o.with ? o.with.key : pair()
    const certificate = 'certificate' in o.with ? await certify(publicKey, o.with.certificate) : null
    const payload = Buffer.from(o.statement)
    const payloadType = o.payloadType ?? PAYLOAD_TYPE
    const pae = dsse.preAuthEncoding(payloadType, payload)
    const signature = sign('sha256', pae, privateKey)
    const tlogEntries = (o.logs ?? []).map((log) =>
      log.append({ payload, pae, signature, certificate, key: publicKey }, o.at ?? new Date()),
    )
    const tokens = await Promise.all(Array.from({ length: o.timestamps ?? 0 }, () => timestamp(signature)))
    const witnesses = {
      ...(tlogEntries.length === 0 ? {} : { tlogEntries }),
      ...(tokens.length === 0
        ? {}
        : { timestampVerificationData: { rfc3161Timestamps: tokens.map((signedTimestamp) => ({ signedTimestamp })) } }),
    }
    const hint = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64')
    return {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial:
        certificate === null
          ? { publicKey: { hint }, ...witnesses }
          : { certificate: { rawBytes: certificate.toString('base64') }, ...witnesses },
      dsseEnvelope: { payload: payload.toString('base64'), payloadType, signatures: [{ sig: signature.toString('base64'), keyid: '' }] },
    }
  }

  const root = (): Document => ({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [rekor1.trusted, rekor2.trusted],
    ctlogs: [trustedKey('https://ct.paper', keys.ct.publicKey)],
    certificateAuthorities: [authority([ca.rootCertificate])],
    timestampAuthorities: [authority([tsa.intCertificate, tsa.rootCertificate])],
  })
  return { rekor1, rekor2, certify, timestamp, signBundle, root }
}

function trustedKey(baseUrl: string, publicKey: KeyObject): Document {
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: der.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: VALID_FOR },
    logId: { keyId: createHash('sha256').update(der).digest('base64') },
  }
}

/** Leaf first. */
function authority(certificates: readonly ArrayBufferView[]): Document {
  return {
    subject: { organization: 'paper', commonName: 'paper' },
    uri: 'https://paper.example',
    certChain: { certificates: certificates.map((certificate) => ({ rawBytes: bytesOf(certificate).toString('base64') })) },
    validFor: VALID_FOR,
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
