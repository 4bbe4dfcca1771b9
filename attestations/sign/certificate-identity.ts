import { X509Certificate } from '@sigstore/core'
import { isSoonParsed } from '../../verifier/bytes/asn1-steps.ts'

/** Whom a certificate of Fulcio is for. */
export type CertifiedIdentity = {
  readonly issuer: string
  /** A URI, an e-mail address or a user name. */
  readonly subjectAlternativeName: string
  /** The repository that the signing ran in, as a URL, and who owns it; null where Fulcio's issuer does not say. */
  readonly sourceRepository: string | null
  readonly sourceRepositoryOwner: string | null
}

/** Fulcio's extensions, https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md. */
const ARC = '1.3.6.1.4.1.57264.1'
const OID = { legacyIssuer: `${ARC}.1`, legacyRepository: `${ARC}.5`, userName: `${ARC}.7`, issuer: `${ARC}.8` } as const
const REPOSITORY = `${ARC}.12`
const REPOSITORY_OWNER = `${ARC}.16`

/** Reads them, or gives undefined for a certificate without issuer or name. Throws where it is no certificate at all. */
export function identityOfCertificate(der: Uint8Array): CertifiedIdentity | undefined {
  if (!isSoonParsed(der)) throw new Error('no certificate that anybody makes')
  const certificate = X509Certificate.parse(Buffer.from(der))
  const names = certificate.extSubjectAltName
  const name = names?.uri ?? names?.rfc822Name ?? names?.otherName(OID.userName)
  const issuer = textOf(certificate, OID.issuer) ?? rawOf(certificate, OID.legacyIssuer)
  if (name === undefined || name === '' || issuer === undefined) return undefined
  const legacy = rawOf(certificate, OID.legacyRepository)
  return {
    issuer,
    subjectAlternativeName: name,
    // The old extension is GitHub's alone, and names the repository without its host.
    sourceRepository: textOf(certificate, REPOSITORY) ?? (legacy === undefined ? null : `https://github.com/${legacy}`),
    sourceRepositoryOwner: textOf(certificate, REPOSITORY_OWNER) ?? null,
  }
}

/** The newer extensions hold a DER string. */
function textOf(certificate: X509Certificate, oid: string): string | undefined {
  return certificate.extension(oid)?.valueObj.subs[0]?.value.toString('utf8')
}

/** The older ones hold the text itself. */
function rawOf(certificate: X509Certificate, oid: string): string | undefined {
  return certificate.extension(oid)?.value.toString('utf8')
}
