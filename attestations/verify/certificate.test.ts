import { beforeAll, expect, it } from 'vitest'
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

const issuerV1 = Buffer.from('060a2b0601040183bf300101', 'hex')
const codeSigning = Buffer.from('06082b06010505070303', 'hex')

it('reads who was certified, by whom, for when and before whom', () => {
  const { subjectAlternativeName, issuer, notBefore, notAfter, logs } = readCertificate(der) as SigningCertificate
  expect([subjectAlternativeName, issuer, logs.length]).toEqual([SIGNER.subjectAlternativeName, SIGNER.issuer, 1])
  expect(notAfter.getTime() - notBefore.getTime()).toBe(600_000)
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
