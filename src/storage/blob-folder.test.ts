import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { openBlobFolder } from './blob-folder.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'blob-folder-'))
})
afterEach(() => rm(dir, { recursive: true }))

const file = (sha256: string): string => path.join(dir, 'sha256', sha256.slice(0, 2), sha256)

async function* chunks(...parts: readonly (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part
}

async function read(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts)
}

describe('a folder of blobs', () => {
  it('gives back any bytes however they were cut', async () => {
    const store = await openBlobFolder(dir)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), async (parts) => {
        const whole = Buffer.concat(parts)
        const stored = await store.put(chunks(...parts))
        expect(stored).toEqual({ sha256: digestOf(whole), size: whole.length })
        expect(await store.size(stored.sha256)).toBe(whole.length)
        expect((await read(await store.open(stored.sha256))).equals(whole)).toBe(true)
      }),
      { numRuns: 50 },
    )
    expect(await readdir(path.join(dir, 'tmp'))).toEqual([])
  })

  it('gives back bytes of several reads and of exactly one', async () => {
    const store = await openBlobFolder(dir)
    for (const size of [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_500_000]) {
      const whole = Buffer.alloc(size, size % 251)
      const { sha256 } = await store.put(chunks(whole.subarray(0, 1000), whole.subarray(1000)))
      expect((await read(await store.open(sha256))).equals(whole)).toBe(true)
    }
  })

  it('stores nothing when the stream fails', async () => {
    const store = await openBlobFolder(dir)
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(2 << 20)
      throw new Error('cut off')
    }
    await expect(store.put(failing())).rejects.toThrow('cut off')
    expect(await readdir(dir, { recursive: true })).toEqual(['sha256', 'tmp'])
  })

  it('stores nothing when the bytes are not the expected ones, and says both digests', async () => {
    const store = await openBlobFolder(dir)
    const expected = digestOf(Buffer.from('good'))
    const actual = digestOf(Buffer.from('evil'))
    await expect(store.put(chunks('evil'), expected)).rejects.toMatchObject({ code: 'blob-differs', data: { expected, actual } })
    expect(await store.size(actual)).toBeUndefined()
    expect(await readdir(dir, { recursive: true })).toEqual(['sha256', 'tmp'])
  })

  it('says which blob is missing', async () => {
    const store = await openBlobFolder(dir)
    const expected = digestOf(Buffer.from('never stored'))
    await expect(store.open(expected)).rejects.toMatchObject({ code: 'blob-missing', data: { expected } })
    expect(await store.size(expected)).toBeUndefined()
  })

  it('never hands out all bytes of a damaged blob', async () => {
    const store = await openBlobFolder(dir)
    const { sha256 } = await store.put(chunks(Buffer.alloc(3 << 20, 1)))
    const damaged = await readFile(file(sha256))
    damaged[5] = 2
    await writeFile(file(sha256), damaged)
    let seen = 0
    const reading = (async () => {
      for await (const chunk of await store.open(sha256)) seen += chunk.length
    })()
    await expect(reading).rejects.toMatchObject({ code: 'blob-damaged', data: { expected: sha256, actual: digestOf(damaged) } })
    expect(seen).toBeLessThan(3 << 20)
  })

  it('heals a damaged blob when its bytes are put again', async () => {
    const store = await openBlobFolder(dir)
    const { sha256 } = await store.put(chunks('whole'))
    await writeFile(file(sha256), 'whose')
    await store.put(chunks('whole'))
    expect((await read(await store.open(sha256))).toString()).toBe('whole')
  })

  it('takes the same blob from many writers at once', async () => {
    const [one, other] = await Promise.all([openBlobFolder(dir), openBlobFolder(dir)])
    const whole = Buffer.alloc(2_500_000, 9)
    const stored = await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? one : other).put(chunks(whole))))
    expect(new Set(stored.map((blob) => blob.sha256)).size).toBe(1)
    expect((await read(await one.open(digestOf(whole)))).equals(whole)).toBe(true)
    expect(await readdir(path.join(dir, 'tmp'))).toEqual([])
  })

  it('sweeps leftovers of dead writers, and leaves what may still be written', async () => {
    await openBlobFolder(dir)
    const tmp = path.join(dir, 'tmp')
    const dead = 2 ** 22 + 1 // above the largest process id of Linux
    const age = async (name: string, minutes: number): Promise<void> => {
      await writeFile(path.join(tmp, name), 'leftover')
      const then = Date.now() / 1000 - minutes * 60
      await utimes(path.join(tmp, name), then, then)
    }
    await age(`${dead}-aa`, 11)
    await age(`${dead}-bb`, 1)
    await age(`${process.pid}-cc`, 11)
    await age(`${process.pid}-dd`, 25 * 60)
    await openBlobFolder(dir)
    expect((await readdir(tmp)).toSorted()).toEqual([`${process.pid}-cc`, `${dead}-bb`].toSorted())
  })

  it('refuses a digest that is a path', async () => {
    const store = await openBlobFolder(dir)
    await expect(store.open('../../../../etc/passwd' as Sha256)).rejects.toThrow('Invalid string')
    await expect(store.size('../tmp' as Sha256)).rejects.toThrow('Invalid string')
  })

  it('says with a code that the folder cannot be used', async () => {
    await writeFile(path.join(dir, 'file'), '')
    await expect(openBlobFolder(path.join(dir, 'file'))).rejects.toMatchObject({ code: 'blob-folder-unusable' })
  })
})

describe('the file of a blob', () => {
  const signal = new AbortController().signal

  it('is given where it is whole, and not where it is gone or damaged', async () => {
    const store = await openBlobFolder(dir)
    const { sha256 } = await store.put(chunks('whole'))
    const file = await store.fileOf(sha256, signal)
    expect(await readFile(file ?? '', 'utf8')).toBe('whole')
    await writeFile(file ?? '', 'other')
    expect(await store.fileOf(sha256, signal)).toBeUndefined()
    await rm(file ?? '')
    expect(await store.fileOf(sha256, signal)).toBeUndefined()
  })

  it('is not waited for once nobody wants it', async () => {
    const store = await openBlobFolder(dir)
    const { sha256 } = await store.put(chunks('whole'))
    await expect(store.fileOf(sha256, AbortSignal.abort(new Error('over')))).rejects.toThrow('over')
  })
})
