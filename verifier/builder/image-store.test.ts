import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { digestOf } from '../bytes/digest-of.ts'
import { openBuilderStore } from './image-store.ts'
import { memoryBlobs } from './inputs/testing/memory-blobs.ts'
import { smallBuilder } from './testing/small-builder.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'builders-'))
})
afterEach(() => rm(dir, { recursive: true }))

test('a builder that was added is listed, shown and selected', async () => {
  const { builder, blobs } = await smallBuilder()
  const store = await openBuilderStore(dir, blobs)
  await store.add(builder, 'made')
  const again = await openBuilderStore(dir, blobs)
  expect(await again.list()).toEqual([builder])
  expect(await again.show(`sha256:${builder.digest}`)).toEqual(builder)
  expect(await again.show(builder.digest.slice(0, 12))).toEqual(builder)
  expect(await again.select({ mkosi: '25.3', architecture: 'amd64' })).toEqual(builder)
  expect(await again.select({ mkosi: '27.1', architecture: 'amd64' })).toBeUndefined()
  expect(await again.select({ mkosi: '25.3', architecture: 'arm64' })).toBeUndefined()
})

test('of several builders the newest is selected, of the wanted definition', async () => {
  const { builder: old, blobs } = await smallBuilder('old')
  const other = await smallBuilder('new')
  for (const bytes of other.blobs.bytes.values()) await blobs.put(one(bytes))
  const newer = { ...other.builder, definition: other.builder.lock }
  const store = await openBuilderStore(dir, blobs)
  await store.add(newer, 'made')
  await store.add(old, 'made')
  const past = new Date(Date.now() - 60_000)
  await utimes(path.join(dir, `${old.digest}.json`), past, past)
  expect((await store.list()).map(({ digest }) => digest)).toEqual([newer.digest, old.digest])
  expect(await store.select({ mkosi: '25.3', architecture: 'amd64' })).toEqual(newer)
  expect(await store.select({ mkosi: '25.3', architecture: 'amd64', definition: old.definition })).toEqual(old)
})

test.each(['', 'latest', '../../etc/passwd', 'abcdef', 'f'.repeat(64), 'sha256:', 'F'.repeat(64)])(
  'a reference to no builder is refused: %j',
  async (reference) => {
    const { builder, blobs } = await smallBuilder()
    const store = await openBuilderStore(dir, blobs)
    await store.add(builder, 'made')
    await expect(store.show(reference)).rejects.toMatchObject({ code: 'builder-unknown' })
  },
)

test('first digits that fit two builders are refused', async () => {
  const { builder, blobs } = await smallBuilder()
  const store = await openBuilderStore(dir, blobs)
  await store.add(builder, 'made')
  // The folder's own words: only a description is read here, not the blobs behind it.
  const twin = { ...builder, digest: digestOf('twin').replace(/^.{12}/, builder.digest.slice(0, 12)) }
  await writeFile(path.join(dir, `${twin.digest}.json`), JSON.stringify(twin))
  await expect(store.show(builder.digest.slice(0, 12))).rejects.toMatchObject({ code: 'builder-ambiguous' })
  expect(await store.show(builder.digest)).toEqual(builder)
})

test('a builder whose layer is not in the store is not kept', async () => {
  const { builder } = await smallBuilder()
  const store = await openBuilderStore(dir, memoryBlobs())
  await expect(store.add(builder, 'made')).rejects.toMatchObject({ code: 'builder-blob-missing' })
  expect(await store.list()).toEqual([])
})

test('a damaged description is named, not skipped, and one under a false name is damaged', async () => {
  const { builder, blobs } = await smallBuilder()
  const store = await openBuilderStore(dir, blobs)
  const damaged = { code: 'builder-description-damaged', message: `${'0'.repeat(64)}.json does not describe a builder` }
  await writeFile(path.join(dir, `${'0'.repeat(64)}.json`), JSON.stringify(builder))
  await expect(store.list()).rejects.toMatchObject(damaged)
  await writeFile(path.join(dir, `${'0'.repeat(64)}.json`), '{"schema":')
  await expect(store.list()).rejects.toMatchObject(damaged)
})

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

test('never takes an imported builder unless it is named, and never for one that was made here', async () => {
  const { builder, blobs } = await smallBuilder()
  const store = await openBuilderStore(dir, blobs)
  await store.add(builder, 'imported')
  expect(await store.select(builder)).toBeUndefined()
  expect((await store.show(builder.digest)).digest).toBe(builder.digest)
  await store.add(builder, 'made')
  await store.add({ ...builder, mkosi: '1' }, 'imported')
  expect(await store.list()).toEqual([builder])
  expect(await store.select(builder)).toEqual(builder)
})
