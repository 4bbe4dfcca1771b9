import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { spool } from './spool.ts'

const MIB = 1 << 20
const entry = { name: 'image.tar', type: 'file' as const, size: 0 }
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-spool-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function* chunksOf(sizes: readonly number[]): AsyncGenerator<Uint8Array, void, void> {
  for (const [index, size] of sizes.entries()) yield Buffer.alloc(size, index % 256)
}

it('writes the bytes in their order, however they are cut', async () => {
  const size = fc.oneof(fc.nat({ max: 70_000 }), fc.constantFrom(0, MIB - 1, MIB, MIB + 1, 3 * MIB))
  let number = 0
  await fc.assert(
    fc.asyncProperty(fc.array(size, { maxLength: 12 }), async (sizes) => {
      number += 1
      const file = path.join(folder, `written-${number}`)
      expect(await spool(entry, chunksOf(sizes), file)).toEqual({ entry, file })
      const expected = Buffer.concat(sizes.map((length, index) => Buffer.alloc(length, index % 256)))
      expect((await readFile(file)).equals(expected)).toBe(true)
    }),
    { numRuns: 30 },
  )
})

it('rejects where the bytes break off', async () => {
  const broken = (async function* () {
    yield Buffer.alloc(2 * MIB)
    throw new Error('the output broke off')
  })()
  await expect(spool(entry, broken, path.join(folder, 'broken'))).rejects.toThrow('the output broke off')
})

it('writes over no file that is there', async () => {
  const file = path.join(folder, 'there')
  await writeFile(file, 'before')
  await expect(spool(entry, chunksOf([1]), file)).rejects.toMatchObject({ code: 'EEXIST' })
  expect(await readFile(file, 'utf8')).toBe('before')
})
