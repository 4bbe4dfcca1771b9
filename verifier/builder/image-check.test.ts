import { expect, test } from 'vitest'
import { digestOf } from '../bytes/digest-of.ts'
import type { Sha256 } from '../model/digest.ts'
import { partsOfBuilder, storedBuilder } from './image-check.ts'
import { type BuilderImage, encodeBuilder } from './image-description.ts'
import { smallBuilder } from './testing/small-builder.ts'

async function described(change: Partial<BuilderImage> = {}, text?: string) {
  const { builder, blobs } = await smallBuilder()
  const bytes = Buffer.from(text ?? encodeBuilder({ ...builder, ...change }))
  const put = async (part: Uint8Array): Promise<Sha256> => {
    const { sha256 } = await blobs.put(
      (async function* () {
        yield part
      })(),
    )
    return sha256
  }
  return { builder, blobs, put, description: await put(bytes) }
}

async function refusal(change: Partial<BuilderImage>, text?: string): Promise<string> {
  const { blobs, description } = await described(change, text)
  return await storedBuilder(description, blobs).then(
    () => 'taken',
    (error: { code?: string; message: string }) => `${error.code}: ${error.message.replace(/^.*: /, '')}`,
  )
}

test('a builder is what its description says, where all its parts are there', async () => {
  const { builder, blobs, description } = await described()
  expect(await storedBuilder(description, blobs)).toEqual(builder)
  for (const part of partsOfBuilder(builder)) {
    const bytes = blobs.bytes.get(part)
    blobs.bytes.delete(part)
    await expect(storedBuilder(description, blobs)).rejects.toThrow(/(missing|another size)/)
    if (bytes !== undefined) blobs.bytes.set(part, bytes)
  }
})

test('a description that is none, or not as it is written, is refused', async () => {
  expect(await refusal({}, 'no JSON')).toBe('builder-unbelievable: its description is none')
  const { builder } = await smallBuilder()
  expect(await refusal({}, JSON.stringify(builder))).toBe('builder-unbelievable: its description is none')
})

test('a description that goes with other parts is refused', async () => {
  const { blobs: others, builder: other } = await smallBuilder('b')
  expect(await refusal({ layer: { ...other.layer, size: other.layer.size } })).toMatch(/another size/)
  expect(await refusal({ mkosi: '27.1' })).toMatch(/^builder-mkosi-version/)
  expect(await refusal({ packages: [{ name: 'mkosi', version: '1', architecture: 'all' }] })).toMatch(/^builder-packages-differ/)
  expect(await refusal({ architecture: 'arm64' })).toMatch(/different architectures/)
  const { blobs, builder, put } = await described()
  for (const bytes of others.bytes.values()) await put(bytes)
  // The parts are all there, and belong to another builder.
  for (const change of [{ layer: other.layer }, { digest: other.digest }, { manifest: other.manifest }]) {
    const description = await put(Buffer.from(encodeBuilder({ ...builder, ...change })))
    await expect(storedBuilder(description, blobs)).rejects.toThrow(/names another (layer|config)/)
  }
  const description = await put(Buffer.from(encodeBuilder({ ...builder, lock: digestOf(Buffer.from('none')) })))
  await put(Buffer.from('none'))
  await expect(storedBuilder(description, blobs)).rejects.toThrow(/lock/)
})
