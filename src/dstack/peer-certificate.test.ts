import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { peerCertificate } from './peer-certificate.ts'

const [QUOTE, ATTESTATION] = ['1.3.6.1.4.1.62397.1.1', '1.3.6.1.4.1.62397.1.8']
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** A certificate that carries DER under identifiers. */
function certificateWith(extensions: Readonly<Record<string, Buffer>>): Uint8Array {
  const folder = mkdtempSync(path.join(tmpdir(), 'bitwitness-certificate-'))
  try {
    const at = (name: string): string => path.join(folder, name)
    writeFileSync(at('key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const lines = Object.entries(extensions).map(([oid, der]) => `${oid}=DER:${der.toString('hex')}`)
    writeFileSync(
      at('config'),
      ['[req]', 'distinguished_name=dn', 'x509_extensions=ext', 'prompt=no', '[dn]', 'CN=guest', '[ext]', ...lines, ''].join('\n'),
    )
    execFileSync('openssl', ['req', '-x509', '-key', at('key'), '-out', at('cert'), '-days', '2', '-config', at('config')], {
      timeout: 30_000,
    })
    return new X509Certificate(execFileSync('cat', [at('cert')])).raw
  } finally {
    rmSync(folder, { recursive: true })
  }
}
function octets(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x04, 0x82, content.length >> 8, content.length & 0xff]), content])
}
function compact(length: number, mode: 1 | 2): Buffer {
  const bytes = Buffer.alloc(mode === 1 ? 2 : 4)
  if (mode === 1) bytes.writeUInt16LE((length << 2) | 1)
  else bytes.writeUInt32LE(length * 4 + 2)
  return bytes
}
const quote = Buffer.alloc(5006, 0xa5)
const legacy = (content: Buffer): Buffer => octets(Buffer.concat([Buffer.from([0, 0]), content]))

describe('the certificate of a guest', () => {
  it('names its key, and carries a quote or none', () => {
    const read = peerCertificate(certificateWith({ [QUOTE]: octets(quote) }), true)
    expect(read).toEqual({ publicKey: publicKey.export({ type: 'spki', format: 'der' }), trusted: true, quote })
    expect(peerCertificate(certificateWith({ '1.2.3.4': octets(quote) }), false)).toMatchObject({ trusted: false, quote: null })
  })

  it('carries it in the form that came afterwards', () => {
    const events = Buffer.alloc(300, 7)
    const read = (attestation: Buffer) => peerCertificate(certificateWith({ [ATTESTATION]: attestation }), true)?.quote
    expect(read(legacy(Buffer.concat([compact(5006, 1), quote, events])))).toEqual(quote)
    const large = Buffer.alloc(20_000, 3)
    expect(read(legacy(Buffer.concat([compact(20_000, 2), large, events])))).toEqual(large)
  })

  it.each<[string, Buffer]>([
    ['of another platform', octets(Buffer.concat([Buffer.from([0, 3]), compact(5006, 1), quote]))],
    ['in MessagePack', octets(Buffer.from([0x83, 0xa7, 1, 2, 3, 4]))],
    ['that is cut short', legacy(Buffer.concat([compact(5006, 1), quote.subarray(1)]))],
    ['with a length that no quote has', legacy(Buffer.from([0xff, 1, 2, 3, 4, 5]))],
    ['of nothing', octets(Buffer.alloc(0))],
  ])('carries evidence that is not read: %s', (_, attestation) => {
    expect(peerCertificate(certificateWith({ [ATTESTATION]: attestation, [QUOTE]: octets(quote) }), true)?.quote).toBe('unread')
  })

  it('carries no quote where what stands there is cut short', () => {
    const cut = octets(quote).subarray(0, 100)
    expect(peerCertificate(certificateWith({ [QUOTE]: cut }), true)?.quote).toEqual(Buffer.alloc(0))
  })

  it('is none where it is none', () => {
    expect(peerCertificate(Buffer.from('no certificate'), true)).toBeNull()
  })
})
