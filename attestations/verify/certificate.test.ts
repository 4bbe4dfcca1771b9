import { beforeAll, expect, it } from 'vitest'
import { element } from '../../verifier/bytes/testing/overlapping.ts'
import { readCertificate, type SigningCertificate } from './certificate.ts'
import { type PaperSigstore, pair, paperSigstore, SIGNER } from './testing/paper-sigstore.ts'

let sigstore: PaperSigstore
let der: Buffer
beforeAll(async () => {
  sigstore = await paperSigstore()
  der = await sigstore.certify(pair().publicKey, {})
})

/** The certificate with one run of bytes replaced by another of the same length. Nobody has looked at its signature here. */
function replaced(found: Buffer | string, by: Buffer | string, from = 0): Buffer {
  const [needle, bytes] = [Buffer.from(found as string), Buffer.from(by as string)]
  const at = der.indexOf(needle, from)
  if (at < 0 || needle.length !== bytes.length) throw new Error('the certificate has no such bytes')
  return Buffer.concat([der.subarray(0, at), bytes, der.subarray(at + needle.length)])
}

/** A certificate whose name has so many characters; every length around it is written anew, and nobody signs that. */
function longName(characters: number): Buffer {
  const name = element(0x86, Buffer.alloc(characters, 'a'))
  const [root] = elements(der)
  const named = rewritten(root?.content ?? Buffer.alloc(0), element(0x04, element(0x30, name)))
  return element(0x30, named)
}

const SAN = Buffer.from('0603551d11', 'hex')

/** Content with the value of the extension of names replaced, wherever in it that is. */
function rewritten(content: Buffer, value: Buffer): Buffer {
  const parts = elements(content)
  const isExtension = parts[0]?.whole.equals(SAN) === true
  return Buffer.concat(
    parts.map(({ tag, content: inner, whole }, index) =>
      isExtension && index === parts.length - 1 ? value : (tag & 0x20) === 0 ? whole : element(tag, rewritten(inner, value)),
    ),
  )
}

function elements(bytes: Buffer): { tag: number; content: Buffer; whole: Buffer }[] {
  const found = []
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at + 1] ?? 0
    const count = first < 0x80 ? 0 : first & 0x7f
    const length = count === 0 ? first : bytes.readUIntBE(at + 2, count)
    const end = at + 2 + count + length
    found.push({ tag: bytes[at] ?? 0, content: bytes.subarray(at + 2 + count, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return found
}

const issuerV1 = Buffer.from('060a2b0601040183bf300101', 'hex')
const codeSigning = Buffer.from('06082b06010505070303', 'hex')

it('reads who was certified, by whom, for when and before whom', () => {
  const { subjectAlternativeName, issuer, notBefore, notAfter, logs } = readCertificate(der) as SigningCertificate
  expect([subjectAlternativeName, issuer, logs.length]).toEqual([SIGNER.subjectAlternativeName, SIGNER.issuer, 1])
  expect(notAfter.getTime() - notBefore.getTime()).toBe(600_000)
})

it('reads the longest name that can be asked for', () => {
  expect((readCertificate(longName(4096)) as SigningCertificate).subjectAlternativeName).toBe('a'.repeat(4096))
})

it('takes a character with its high bit set for no other character', () => {
  // Node's `ascii` drops that bit, and the name would read as the wanted one.
  const odd = Buffer.from(SIGNER.subjectAlternativeName)
  odd[8] = (odd[8] ?? 0) | 0x80
  expect(odd.toString('ascii')).toBe(SIGNER.subjectAlternativeName)
  expect(readCertificate(replaced(SIGNER.subjectAlternativeName, odd))).toBe('certificate-malformed')
})

it.each([
  ['a byte after its end', () => Buffer.concat([der, Buffer.of(0)])],
  ['its last byte missing', () => der.subarray(0, -1)],
  ['two issuers', () => replaced(SIGNER.issuer, SIGNER.issuer.replace('issuer', 'ussuer'), der.indexOf(issuerV1))],
  ['one extension twice', () => replaced(issuerV1, Buffer.from('060a2b0601040183bf300108', 'hex'))],
  ['a control character in its name', () => replaced(SIGNER.subjectAlternativeName, SIGNER.subjectAlternativeName.replace('w', '\n'))],
  [
    'another algorithm outside than inside',
    () => replaced(Buffer.from('06082a8648ce3d040303', 'hex'), Buffer.from('06082a8648ce3d040302', 'hex'), der.length / 2),
  ],
  ['a name longer than any that can be asked for', () => longName(4097)],
  ['no certificate at all', () => Buffer.from('certificate')],
  ['nothing', () => Buffer.alloc(0)],
])('refuses one with %s', (_, make) => {
  expect(readCertificate(make())).toBe('certificate-malformed')
})

it('refuses one that is for something else than signing, and an authority', () => {
  expect(readCertificate(replaced(codeSigning, Buffer.from('06082b06010505070308', 'hex')))).toBe('certificate-not-for-signing')
  const [authority] = (sigstore.root()['certificateAuthorities'] as { certChain: { certificates: { rawBytes: string }[] } }[]) ?? []
  expect(readCertificate(Buffer.from(authority?.certChain.certificates[0]?.rawBytes ?? '', 'base64'))).toBe('certificate-not-for-signing')
})
