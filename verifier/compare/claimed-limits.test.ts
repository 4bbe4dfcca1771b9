import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { digestOf } from '../bytes/digest-of.ts'
import { Sha256 } from '../model/digest.ts'
import { rawMember, rawTar } from '../tar/testing/raw-tar.ts'
import { readClaimed } from './claimed.ts'
import { MemoryBlobs, scratchFolder } from './testing/canonical.ts'
import { claim } from './testing/image.ts'

// Each reading starts a thread.
vi.setConfig({ testTimeout: 60_000 })

const MIB = 1024 ** 2
const LIMIT = 4 * MIB

let scratch: Awaited<ReturnType<typeof scratchFolder>>
beforeEach(async () => {
  scratch = await scratchFolder()
  await mkdir(scratch.at('work'))
})
afterEach(() => scratch[Symbol.asyncDispose]())

/** Reads a file, or a layout, as what it is claimed to be, within the limit. */
async function read(given: Uint8Array | string, on: Partial<ReturnType<typeof claim>> & { sha256: Sha256 }) {
  const path = typeof given === 'string' ? given : scratch.at('given')
  if (typeof given !== 'string') await writeFile(path, given)
  return readClaimed({ claim: claim(on.sha256, on), path, scratch: scratch.at('work'), maxBytes: LIMIT, blobs: new MemoryBlobs() })
}

/** An OCI layout whose layers are compressed. */
async function layout(name: string, layers: readonly Buffer[]): Promise<{ dir: string; manifest: Sha256 }> {
  const reference = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: `sha256:${digestOf(bytes)}`, size: bytes.length })
  const config = Buffer.from(JSON.stringify({ rootfs: { diff_ids: [] } }))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: reference('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map((layer) => reference('application/vnd.oci.image.layer.v1.tar+gzip', layer)),
    }),
  )
  const dir = scratch.at(name)
  await mkdir(`${dir}/blobs/sha256`, { recursive: true })
  for (const blob of [config, manifest, ...layers]) await writeFile(`${dir}/blobs/sha256/${digestOf(blob)}`, blob)
  await writeFile(`${dir}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  const manifests = [reference('application/vnd.oci.image.manifest.v1+json', manifest)]
  await writeFile(`${dir}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }))
  return { dir, manifest: digestOf(manifest) }
}

const layer = (size: number, name: string): Buffer => gzipSync(rawTar(rawMember({ name }, Buffer.alloc(size))))

describe('claimed bytes that become more than a build may leave', () => {
  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('are not unpacked further: a %s bomb', async (_, compress) => {
    const bomb = compress(Buffer.alloc(LIMIT + 1))
    await expect(read(bomb, { sha256: digestOf(bomb) })).rejects.toMatchObject({ code: 'decompressed-size' })
    expect(await readdir(scratch.at('work'))).toEqual([])
    const largest = compress(Buffer.alloc(LIMIT))
    expect(await read(largest, { sha256: digestOf(largest) })).toMatchObject({ kind: 'file', file: { size: LIMIT } })
  })

  test.each(['file', 'oci-manifest'] as const)(
    'are not read through: a sparse file of nothing but holes, as a claim of kind %s',
    async (kind) => {
      const name = `blobs/sha256/${'a'.repeat(64)}`
      await mkdir(scratch.at('blobs/sha256'), { recursive: true })
      await writeFile(scratch.at(name), '')
      await truncate(scratch.at(name), 1024 ** 3)
      const options = ['--sparse', '--format=pax', '--numeric-owner', '--pax-option=delete=atime,delete=ctime']
      await execa('tar', ['--create', ...options, '--file', 'given', '--', `./${name}`], { cwd: scratch.dir })
      const reading = read(scratch.at('given'), { kind, sha256: digestOf(Buffer.from('whatever')) })
      await expect(reading).rejects.toMatchObject({ code: 'tar-file-size-limit' })
    },
  )

  test('are not unpacked further: the layers of an image together', async () => {
    const half = [layer(LIMIT / 2 - 4096, './a'), layer(LIMIT / 2 - 4096, './b')]
    const fits = await layout('fits', half)
    expect(await read(fits.dir, { kind: 'oci-manifest', sha256: fits.manifest })).toMatchObject({ kind: 'oci' })
    const more = await layout('more', [...half, layer(MIB, './c')])
    const reading = read(more.dir, { kind: 'oci-manifest', sha256: more.manifest })
    await expect(reading).rejects.toMatchObject({ code: 'decompressed-size' })
    expect(await readdir(scratch.at('work'))).toEqual([])
  })

  test('are not unpacked further: an image in a compressed tar', async () => {
    const blob = rawMember({ name: `blobs/sha256/${'a'.repeat(64)}` }, Buffer.alloc(LIMIT + 1))
    const bomb = gzipSync(rawTar(blob))
    const reading = read(bomb, { kind: 'oci-manifest', sha256: digestOf(bomb) })
    await expect(reading).rejects.toMatchObject({ code: expect.stringMatching(/^(decompressed-size|tar-file-size-limit)$/) })
  })
})
