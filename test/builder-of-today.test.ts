import path from 'node:path'
import { expect, it } from 'vitest'
import { builderOfToday } from '../src/builder-of-today.ts'
import { readDefinition } from '../verifier/builder/image-definition.ts'
import { encodeBuilder } from '../verifier/builder/image-description.ts'
import { smallBuilder } from '../verifier/builder/testing/small-builder.ts'
import { oneChunk } from '../verifier/bytes/one-chunk.ts'

const folder = path.join(import.meta.dirname, '..', 'mkosi', 'builder')
const small = await smallBuilder()
const { digest: definition } = await readDefinition(folder, '25.3')
const put = async (text: string) => (await small.blobs.put(oneChunk(text))).sha256
const isOfToday = builderOfToday({ folder, mkosi: '25.3', blobs: small.blobs })

it('is one of today’s definition for the mkosi that is chosen', async () => {
  const description = await put(encodeBuilder({ ...small.builder, definition }))
  expect(await isOfToday({ description, mkosi: '25.3' })).toBe(true)
  expect(await isOfToday({ description, mkosi: '27.1' })).toBe(false)
})

it('is none of another definition, or whose description is gone or no description', async () => {
  const other = await put(encodeBuilder({ ...small.builder, definition: small.builder.digest }))
  const gone = small.builder.digest
  expect(await Promise.all([other, gone, await put('{}')].map((description) => isOfToday({ description, mkosi: '25.3' })))).toEqual([
    false,
    false,
    false,
  ])
})
