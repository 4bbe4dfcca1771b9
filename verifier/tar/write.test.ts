import fc from 'fast-check'
import { expect, it } from 'vitest'
import { IMAGE_TAR_LIMITS } from './limits.ts'
import { readTar } from './read.ts'
import { inPieces } from './testing/collect.ts'
import { inlineFile, plainHeader, writeTar } from './write.ts'

async function written(files: readonly (readonly [path: string, content: Uint8Array])[]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writeTar(files.map(([path, content]) => inlineFile(path, content)))))
}

it('plain files come back as they were, with the headers that they are written with', async () => {
  const file = fc.tuple(
    fc.stringMatching(/^[a-z0-9.-]{1,40}$/).filter((name) => !/^\.{1,2}$/.test(name)),
    fc.uint8Array({ maxLength: 2000 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(file, { maxLength: 5, selector: ([path]) => path }), async (files) => {
      const bytes = await written(files)
      expect(bytes.length % 10240).toBe(0)
      const read: [string, Buffer][] = []
      for await (const { path, size, rawHeader, body } of readTar(inPieces(bytes, 700), IMAGE_TAR_LIMITS)) {
        const name = Buffer.from(path).toString('latin1')
        expect(Buffer.from(plainHeader({ path: name, size })).equals(rawHeader)).toBe(true)
        read.push([name, Buffer.concat(await Array.fromAsync(body, (part) => Buffer.from(part)))])
      }
      expect(read).toEqual(files.map(([path, content]) => [path, Buffer.from(content)]))
    }),
  )
})

it('a file that has not the size that it was said to have is not written', async () => {
  const short = { ...inlineFile('short', Buffer.from('four')), size: 5 }
  await expect(Array.fromAsync(writeTar([short]))).rejects.toThrow('4 bytes where its description says 5')
})
