import { expect, it } from 'vitest'
import { digestOf } from './digest-of.ts'

// FIPS 180-4, examples of SHA-256.
it.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['ü', digestOf(Uint8Array.of(0xc3, 0xbc))],
])('says the sha256 of %j, as text and as bytes', (text, sha256) => {
  expect([digestOf(text), digestOf(Buffer.from(text))]).toEqual([sha256, sha256])
})
