import { type CertificateAuthority, TrustedRoot as ProtobufTrustedRoot } from '@sigstore/protobuf-specs'
import { type TrustMaterial, toTrustMaterial } from '@sigstore/verify'
import { z } from 'zod'
import { isSoonParsed } from '../../verifier/bytes/asn1-steps.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { isDer, keepDer } from './kept-der.ts'

/** Authorities and logs of one Sigstore instance, ready to verify with. */
export type TrustedRoot = {
  readonly material: Omit<TrustMaterial, 'publicKey'>
  /** Of the exact bytes of the document. */
  readonly sha256: Sha256
}

/** Of the document, in bytes. */
export const MAX_TRUSTED_ROOT = 4 << 20

const LIMITS = { maxBytes: MAX_TRUSTED_ROOT, maxDepth: 16 }

/** Without a start, a validity is from the beginning of time: that is how a key that was never meant to be trusted gets in. */
const Validity = z.looseObject({ start: z.iso.datetime({ offset: true }), end: z.iso.datetime({ offset: true }).nullish() })
const Log = z.looseObject({ publicKey: z.looseObject({ validFor: Validity }) })
const Authority = z.looseObject({ validFor: Validity })
/** Only what is relied on; what later versions add beside it is nobody's attack, since the root is what we trust. */
const Document = z.looseObject({
  mediaType: z.string().regex(/^application\/vnd\.dev\.sigstore\.trustedroot(\.v0\.[12]\+json|\+json;version=0\.[12])$/),
  tlogs: z.array(Log).optional(),
  certificateAuthorities: z.array(Authority).optional(),
  ctlogs: z.array(Log).optional(),
  timestampAuthorities: z.array(Authority).optional(),
})

/** Reads `trusted_root.json` (sigstore_trustroot.proto). Fails with `trusted-root-malformed`. */
export function parseTrustedRoot(bytes: Uint8Array): TrustedRoot {
  try {
    const document = Document.parse(parseStrictJson(bytes, LIMITS))
    const root = ProtobufTrustedRoot.fromJSON(document)
    requireSoonParsed([...root.certificateAuthorities, ...root.timestampAuthorities])
    const { publicKey: _, ...material } = toTrustMaterial(root)
    keepBytes(material.certificateAuthorities, root.certificateAuthorities)
    keepBytes(material.timestampAuthorities, root.timestampAuthorities)
    return { material, sha256: digestOf(bytes) }
  } catch (cause) {
    throw new Failure({
      code: 'trusted-root-malformed',
      message: 'the trusted root cannot be read',
      hint: 'give a trusted_root.json in which every key and authority says since when it is valid',
      cause,
    })
  }
}

/** Not every root is one that we trust: a proof has a copy of one. */
function requireSoonParsed(authorities: readonly CertificateAuthority[]): void {
  const certificates = authorities.flatMap(({ certChain }) => certChain?.certificates ?? [])
  if (!certificates.every(({ rawBytes }) => isSoonParsed(rawBytes))) throw new Error('not certificates')
}

function keepBytes(authorities: TrustMaterial['certificateAuthorities'], from: readonly CertificateAuthority[]): void {
  for (const [at, { certChain }] of authorities.entries())
    for (const [index, certificate] of certChain.entries()) {
      const der = Buffer.from(from[at]?.certChain?.certificates[index]?.rawBytes ?? [])
      if (isDer(der)) keepDer(certificate, der)
    }
}
