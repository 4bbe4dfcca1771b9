import { X509Certificate as NodeCertificate } from 'node:crypto'
import { X509Certificate } from '@sigstore/core'
import { isSoonParsed } from '../../verifier/bytes/asn1-steps.ts'
import type { PeerCertificate } from '../app/inspect/inspect-ports.ts'
import { MOST_QUOTE_BYTES } from '../app/inspect/td-quote.ts'

/** dstack, ra-tls/src/oids.rs: the quote itself, and what followed it. */
const [QUOTE, ATTESTATION] = ['1.3.6.1.4.1.62397.1.1', '1.3.6.1.4.1.62397.1.8']

/** What the other end of a connection showed of itself; null for what is no certificate. */
export function peerCertificate(der: Uint8Array, trusted: boolean): PeerCertificate | null {
  try {
    const publicKey = new NodeCertificate(der).publicKey.export({ type: 'spki', format: 'der' })
    return { publicKey, trusted, quote: quoteOf(der) }
  } catch {
    return null
  }
}

function quoteOf(der: Uint8Array): PeerCertificate['quote'] {
  // Evidence is tens of kilobytes long in there, and read as elements it could be any number of steps.
  if (der.length > MOST_CERTIFICATE || !isSoonParsed(der)) return 'unread'
  const certificate = X509Certificate.parse(Buffer.from(der))
  const plain = octetsOf(certificate, QUOTE)
  const attestation = octetsOf(certificate, ATTESTATION)
  if (attestation !== undefined) return legacyQuote(attestation) ?? 'unread'
  return plain ?? null
}

const MOST_CERTIFICATE = 4 * MOST_QUOTE_BYTES

/** The value is an OCTET STRING within that of the extension (ra-tls/src/cert.rs, `add_ext`). */
function octetsOf(certificate: X509Certificate, oid: string): Buffer | undefined {
  const value = certificate.extension(oid)?.value
  return value === undefined ? undefined : (derOctets(value) ?? Buffer.alloc(0))
}

/** DER (X.690 §8.1.3): tag, length in its short or long form, content to the end. */
function derOctets(der: Buffer): Buffer | undefined {
  const first = der[1]
  if (der[0] !== 0x04 || first === undefined) return undefined
  const count = first < 0x80 ? 0 : first & 0x7f
  if (count > 4 || der.length < 2 + count) return undefined
  const length = count === 0 ? first : der.readUIntBE(2, count)
  return der.length === 2 + count + length ? der.subarray(2 + count) : undefined
}

/** `VersionedAttestation::V0` of TDX, in SCALE (dstack-attest, attestation.rs): version 0, platform 0, then the quote after its compact length. */
function legacyQuote(bytes: Buffer): Buffer | undefined {
  if (bytes[0] !== 0 || bytes[1] !== 0 || bytes.length < 6) return undefined
  const mode = (bytes[2] ?? 3) & 3
  // Two bytes hold 64 to 16383, four hold more; other lengths are no quote's.
  if (mode !== 1 && mode !== 2) return undefined
  const [length, at] = mode === 1 ? [bytes.readUInt16LE(2) >> 2, 4] : [bytes.readUInt32LE(2) >>> 2, 6]
  return bytes.length < at + length ? undefined : bytes.subarray(at, at + length)
}
