import { createPublicKey, type KeyObject } from 'node:crypto'
import { ASN1Obj, X509Certificate } from '@sigstore/core'
import { isDer, keepDer } from './kept-der.ts'
import type { RejectionCode } from './rejections.ts'

/** A signing certificate whose every byte was understood. Nothing is said yet of who issued it. */
export type SigningCertificate = {
  readonly certificate: X509Certificate
  readonly der: Buffer
  readonly key: KeyObject
  /** URI or e-mail address that the authority certified. */
  readonly subjectAlternativeName: string
  /** OIDC issuer that vouched for it to the authority; null where the certificate names none. */
  readonly issuer: string | null
  readonly notBefore: Date
  readonly notAfter: Date
  /** How many certificate logs vouch for it. */
  readonly logs: readonly string[]
}

/** RFC 5280 §4.2.1, RFC 6962 §3.3 and the extensions of Fulcio (fulcio/docs/oid-info.md). */
const OID = {
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  issuerV1: '1.3.6.1.4.1.57264.1.1',
  issuerV2: '1.3.6.1.4.1.57264.1.8',
} as const
/** As long as the longest name that can be asked for. */
const MAX_NAME = 4096
const MAY_BE_CRITICAL: ReadonlySet<string> = new Set([OID.keyUsage, OID.subjectAlternativeName, OID.basicConstraints, OID.extendedKeyUsage])

/**
 * Reads a certificate in one way only. The library that checks its chain reads leniently: it takes the first of several names, drops the
 * high bit of each character, looks at no key usage of a leaf, and lets unsigned bytes be anything.
 */
export function readCertificate(der: Buffer): SigningCertificate | RejectionCode {
  try {
    return read(Buffer.from(der))
  } catch {
    // Whatever a parser stumbles over.
    return 'certificate-malformed'
  }
}

function read(der: Buffer<ArrayBuffer>): SigningCertificate | RejectionCode {
  if (!isDer(der)) return 'certificate-malformed'
  const root = ASN1Obj.parseBuffer(der)
  const [tbs, outerAlgorithm, signature] = root.subs
  const innerAlgorithm = tbs?.subs[2]
  const certificate = keepDer(new X509Certificate(root), der)
  if (
    root.subs.length !== 3 ||
    outerAlgorithm === undefined ||
    innerAlgorithm === undefined ||
    // RFC 5280 §4.1.1.2: both must be the same; only the inner one is signed.
    !outerAlgorithm.toDER().equals(innerAlgorithm.toDER()) ||
    certificate.signatureAlgorithm === undefined ||
    // A BIT STRING of whole bytes.
    signature?.value[0] !== 0
  )
    return 'certificate-malformed'
  const extensions = certificate.extensions.map((extension) => extension.subs[0]?.toOID() ?? '')
  if (new Set(extensions).size !== extensions.length) return 'certificate-malformed'
  const unknown = certificate.extensions.filter(
    (extension) => isCritical(extension) && !MAY_BE_CRITICAL.has(extension.subs[0]?.toOID() ?? ''),
  )
  if (unknown.length > 0) return 'certificate-malformed'
  if (!isForSigning(certificate)) return 'certificate-not-for-signing'
  return {
    certificate,
    der,
    key: createPublicKey({ key: certificate.publicKey, format: 'der', type: 'spki' }),
    subjectAlternativeName: subjectAlternativeName(certificate),
    issuer: issuer(certificate),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    logs: [...new Set((certificate.extSCT?.signedCertificateTimestamps ?? []).map((one) => one.logID.toString('hex')))],
  }
}

function isCritical(extension: ASN1Obj): boolean {
  return extension.subs.length === 3 && extension.subs[1]?.toBoolean() === true
}

function isForSigning(certificate: X509Certificate): boolean {
  const purposes = certificate.extension(OID.extendedKeyUsage)?.valueObj.subs[0]?.subs.map((purpose) => purpose.toOID()) ?? []
  return purposes.includes(OID.codeSigning) && !certificate.isCA && certificate.extKeyUsage?.digitalSignature === true
}

/** The only name: of several, who reads the first and who reads the last would see two signers. */
function subjectAlternativeName(certificate: X509Certificate): string {
  const [name, ...others] = certificate.extension(OID.subjectAlternativeName)?.valueObj.subs[0]?.subs ?? []
  // GeneralName: [1] rfc822Name, [6] uniformResourceIdentifier. Fulcio's user names ([0] otherName) are not supported.
  if (name === undefined || others.length > 0 || !(name.tag.isContextSpecific(1) || name.tag.isContextSpecific(6)))
    throw new Error('not one name of a known kind')
  const text = name.value.toString('latin1')
  if (text.length > MAX_NAME || !/^[\x21-\x7e]+$/.test(text)) throw new Error('too long, or not printable ASCII')
  return text
}

/** Version 2 is a UTF8String, version 1 the bare bytes. Where both are there they must agree. */
function issuer(certificate: X509Certificate): string | null {
  const v2 = certificate.extension(OID.issuerV2)?.valueObj.subs[0]?.value
  const v1 = certificate.extension(OID.issuerV1)?.value
  const [first, ...rest] = [v2, v1].flatMap((bytes) => (bytes === undefined ? [] : [utf8(bytes)]))
  if (rest.some((other) => other !== first)) throw new Error('two issuers')
  return first ?? null
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}
