import { X509Certificate } from 'node:crypto'
import { constants, Quote, utils } from '@phala/dcap-qvl'
import type { IntelCollateral } from './intel-collateral.ts'
import { plainNumber, readRevocationList } from './revocation-list.ts'

/** `refused`: the platform is revoked, or its certificates are none of Intel's. `unable`: nothing is known of what is revoked. */
export type Revocation = { readonly result: 'good' } | { readonly result: 'refused' | 'unable'; readonly reason: string }

const REFUSED = { result: 'refused', reason: 'Intel revoked the certificate of the platform, or of who issued it' } as const
const NO_CHAIN = { result: 'refused', reason: 'its certificates are not those of a platform and of two authorities of Intel’s' } as const
const UNREAD = 'the collateral’s list of revoked certificates cannot be read'
const UNSIGNED = 'who issued the platform’s certificate did not sign the collateral’s list of revoked certificates'
const EXPIRED = 'the collateral’s list of revoked certificates is not of this time'

/**
 * Whether Intel revoked the platform of a quote whose certificates were verified up to Intel's root before. The library that does that takes lists that
 * nobody signed, that have expired, or that are none at all, for lists on which nothing stands.
 */
export function revocationOf(quote: Uint8Array, { root_ca_crl, pck_crl }: IntelCollateral, now: Date): Revocation {
  const certificates = utils.extractCerts(Buffer.from(Quote.parse(quote).rawCertChain())).map((der) => new X509Certificate(der))
  const [platform, authority, ...above] = certificates
  if (platform === undefined || authority === undefined || ![authority, ...above].every(({ ca }) => ca)) return NO_CHAIN
  const root = new X509Certificate(constants.TRUSTED_ROOT_CA_DER)
  // Of one that somebody else issued nothing would stand on either list.
  if (!authority.verify(root.publicKey)) return NO_CHAIN
  for (const [hex, issuer, subject] of [
    [root_ca_crl, root, authority],
    [pck_crl, authority, platform],
  ] as const) {
    const list = readRevocationList(Buffer.from(hex, 'hex'))
    if (list === undefined) return { result: 'unable', reason: UNREAD }
    if (!list.isSignedBy(issuer.publicKey)) return { result: 'unable', reason: UNSIGNED }
    if (now < list.from || now > list.until) return { result: 'unable', reason: EXPIRED }
    if (list.revoked.has(plainNumber(subject.serialNumber))) return REFUSED
  }
  return { result: 'good' }
}
