import { X509Certificate } from '@sigstore/core'
import { beforeAll, expect, it } from 'vitest'
import { isDer, keepDer } from './kept-der.ts'
import { pair, paperSigstore } from './testing/paper-sigstore.ts'

let der: Buffer
beforeAll(async () => {
  der = await (await paperSigstore()).certify(pair().publicKey, {})
})

it('keeps exactly what the library would encode', () => {
  const [kept, plain] = [keepDer(X509Certificate.parse(Buffer.from(der)), der), X509Certificate.parse(Buffer.from(der))]
  expect(kept.root.toDER().equals(plain.root.toDER())).toBe(true)
  expect(kept.tbsCertificate.toDER().equals(plain.tbsCertificate.toDER())).toBe(true)
  expect(kept.equals(plain)).toBe(true)
})

it.each([
  ['an integer', '020101', true],
  ['a sequence of two', '3006020101020102', true],
  ['nothing', '', true],
  ['130 bytes of contents', `04818200${'00'.repeat(129)}`, true],
  ['a length in two bytes that fits into one', '04820081' + '00'.repeat(129), false],
  ['a short length in the long form', '04810100', false],
  ['an indefinite length', '30800201010000', false],
  ['contents that end early', '0402ff', false],
  ['a tag and no length', '04', false],
  ['a tag in several bytes', '1f8101020101', false],
  ['a sequence whose member reaches over its end', '3003020201', false],
])('takes %s for DER: %#', (_, hex, is) => {
  expect(isDer(Buffer.from(hex, 'hex'))).toBe(is)
})

it('takes a certificate, and none that nests without end', () => {
  expect(isDer(der)).toBe(true)
  let nested = Buffer.alloc(0)
  for (let depth = 0; depth < 60; depth += 1) nested = Buffer.concat([Buffer.of(0x30, nested.length), nested])
  expect(isDer(nested)).toBe(false)
})
