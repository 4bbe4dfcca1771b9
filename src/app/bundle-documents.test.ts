import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { inPieces } from '../../verifier/tar/testing/collect.ts'
import { rawMember, rawTar } from '../../verifier/tar/testing/raw-tar.ts'
import { bundlesIn, MAX_BUNDLES } from './bundle-documents.ts'

const asText = (bundles: readonly Uint8Array[]): string[] => bundles.map((bytes) => Buffer.from(bytes).toString())
const read = async (text: string): Promise<string[]> => asText(await bundlesIn([Buffer.from(text)]))

it.each([
  ['one bundle', '{"a":1}', ['{"a":1}']],
  ['one bundle over several lines', '{\n"a": {\n}\n}\n', ['{\n"a": {\n}\n}\n']],
  ['bundles on lines of their own', '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
  ['empty lines between them', '\n{"a":1}\r\n\n{"b":2}', ['{"a":1}\r', '{"b":2}']],
  ['one line that is none beside one that is', '{"a":1}\nx', ['{"a":1}\nx']],
  ['nothing', '', ['']],
])('finds %s', async (_, text, bundles) => {
  expect(await read(text)).toEqual(bundles)
})

it('gives lines byte for byte, also those that are no UTF-8', async () => {
  const line = Buffer.from('7b22ff223a317d', 'hex')
  expect(await bundlesIn([Buffer.concat([line, Buffer.from('\n{}')])])).toEqual([line, Buffer.from('{}')])
})

it('looks at no more than so many, and so much', async () => {
  expect(await read('{}\n'.repeat(MAX_BUNDLES))).toHaveLength(MAX_BUNDLES)
  await expect(read('{}\n'.repeat(MAX_BUNDLES + 1))).rejects.toMatchObject({ code: 'bundles-too-many' })
  let asked = 0
  const endless = (function* () {
    for (; ; asked += 1) yield Buffer.alloc(1 << 20, ' ')
  })()
  await expect(bundlesIn(endless)).rejects.toMatchObject({ code: 'bundles-too-large' })
  expect(asked).toBe(64)
})

describe('a proof', () => {
  const file = path.join(import.meta.dirname, '../../attestations/testdata/reproduced.proof.tar')

  it.each([1, 100, 511, 512, 1 << 20])('gives its bundles, in pieces of %d bytes', async (piece) => {
    const bundles = asText(await bundlesIn(inPieces(await readFile(file), piece)))
    expect(
      bundles.map((text) => JSON.parse(text).dsseEnvelope.payload as string).map((text) => JSON.parse(atob(text)).predicateType),
    ).toEqual(['bitwitness:reproduced/v1', 'https://slsa.dev/provenance/v1', 'https://cyclonedx.org/bom'])
  })

  it('that is none gives none', async () => {
    const other = await readFile(file)
    other[600] = 0
    await expect(bundlesIn([other])).rejects.toMatchObject({ code: 'json-malformed' })
    await expect(bundlesIn([rawTar(rawMember({ name: './x' }, '{}'))])).rejects.toMatchObject({ code: 'proof-not-a-proof' })
  })
})
