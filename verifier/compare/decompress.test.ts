import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { execa } from 'execa'
import { expect, test, vi } from 'vitest'
import { type DecompressLimits, openDecompressed } from './decompress.ts'
import { digestBytes, digestFile } from './digest-file.ts'
import { scratchFolder } from './testing/canonical.ts'

vi.setConfig({ testTimeout: 30_000 })

const CONTENT = Buffer.concat([randomBytes(100_000), Buffer.alloc(2_000_000, 'abc')])

async function compressed(): Promise<Record<'none' | 'gzip' | 'zstd' | 'xz', Buffer>> {
  const xz = await execa('xz', ['--stdout'], { input: CONTENT, encoding: 'buffer' })
  return {
    none: CONTENT,
    gzip: gzipSync(CONTENT),
    zstd: zstdCompressSync(CONTENT, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
    xz: Buffer.from(xz.stdout),
  }
}

async function read(bytes: Uint8Array, limits?: DecompressLimits) {
  await using scratch = await scratchFolder()
  await writeFile(scratch.at('file.txt'), bytes)
  const opened = await openDecompressed(scratch.at('file.txt'), limits)
  return { compression: opened.compression, bytes: Buffer.concat(await Array.fromAsync(opened.bytes)) }
}

test('gives back what was compressed, knowing the way by the bytes alone', async () => {
  for (const [way, bytes] of Object.entries(await compressed())) {
    const opened = await read(bytes)
    expect([opened.compression, opened.bytes.equals(CONTENT)]).toEqual([way, true])
  }
})

test('gives several streams in a row as the one file that they are; zstd may hide things between frames and is refused', async () => {
  const { gzip, zstd, xz } = await compressed()
  for (const bytes of [gzip, xz]) expect((await read(Buffer.concat([bytes, bytes]))).bytes.length).toBe(CONTENT.length * 2)
  const skippable = Buffer.concat([Buffer.from('502a4d1806000000', 'hex'), Buffer.from('hidden')])
  for (const more of [zstd, skippable])
    await expect(read(Buffer.concat([zstd, more])).then(({ bytes }) => bytes.length)).rejects.toMatchObject({ code: 'compressed-damaged' })
})

test.each(['gzip', 'zstd', 'xz'] as const)('%s that is cut short, damaged or followed by something is refused', async (way) => {
  const bytes = (await compressed())[way]
  const flipped = Buffer.from(bytes)
  flipped[50_000] = (flipped[50_000] ?? 0) ^ 1
  for (const bad of [bytes.subarray(0, -5), bytes.subarray(0, 50_000), flipped, Buffer.concat([bytes, Buffer.from('hidden')])])
    await expect(read(bad).then(({ bytes }) => bytes.length)).rejects.toMatchObject({ code: 'compressed-damaged' })
})

test.each(['none', 'gzip', 'zstd', 'xz'] as const)('%s that becomes too large is refused', async (way) => {
  const bytes = (await compressed())[way]
  await expect(read(bytes, { maxSize: CONTENT.length - 1, maxRatio: 1000 })).rejects.toMatchObject({ code: 'decompressed-size' })
  expect((await read(bytes, { maxSize: CONTENT.length, maxRatio: 1000 })).bytes.length).toBe(CONTENT.length)
})

test('a reader may leave early', async () => {
  await using scratch = await scratchFolder()
  for (const [way, bytes] of Object.entries(await compressed())) {
    await writeFile(scratch.at(way), bytes)
    for await (const chunk of (await openDecompressed(scratch.at(way))).bytes) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
  }
})

test('an empty file is a file without compression', async () => {
  expect(await read(new Uint8Array())).toEqual({ compression: 'none', bytes: Buffer.alloc(0) })
})

test('a file and its bytes have one digest', async () => {
  await using scratch = await scratchFolder()
  await writeFile(scratch.at('file'), CONTENT)
  const { stdout } = await execa('sha256sum', ['--', scratch.at('file')])
  const digested = await digestFile(scratch.at('file'))
  expect(digested).toEqual({ sha256: stdout.slice(0, 64), size: CONTENT.length })
  expect(await digestBytes((await openDecompressed(scratch.at('file'))).bytes)).toEqual(digested)
})
