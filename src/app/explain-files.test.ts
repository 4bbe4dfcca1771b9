import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { encodeTarHeader, endPadding } from '../../verifier/tar/encode.ts'
import { explainFiles } from './explain-files.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-explain-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('explainFiles', () => {
  it('finds no difference between a tar and the same tar compressed, but the compression', async () => {
    const tar = tarOf({ a: 'one' })
    const found = await explained(tar, gzipSync(tar))
    expect(found).toMatchObject({ state: 'complete', totals: { added: 0, removed: 0, changed: 0 }, changes: [] })
    expect(found.findings.map(({ rule }) => rule)).toEqual(['compression'])
  })

  it('names the order of members where that is all', async () => {
    const found = await explained(tarOf({ a: 'one', b: 'two' }), tarOf({ b: 'two', a: 'one' }))
    expect(found.totals).toMatchObject({ added: 0, removed: 0, changed: 0 })
    expect(found.findings).toHaveLength(1)
    expect(found.findings[0]?.rule).toMatch(/order/)
  })

  it('says which paths differ, and blames no order that both sides share', async () => {
    const found = await explained(tarOf({ b: 'two', a: 'one' }), tarOf({ b: 'two', a: 'ONE', c: 'new' }))
    expect(found.totals).toMatchObject({ added: 1, removed: 0, changed: 1 })
    expect(found.findings.map(({ rule }) => rule)).not.toContainEqual(expect.stringMatching(/order/))
  })

  it('names what keeps an archive from being read as a tree, and compares its bytes', async () => {
    const twice = Buffer.concat([tarOf({ a: 'one' }).subarray(0, 1536), tarOf({ a: 'two' }).subarray(512)])
    const found = await explained(tarOf({ a: 'one' }), twice)
    expect(found.totals.bytes).toBeGreaterThan(0)
    expect([found.state, found.reason]).toEqual([
      'truncated',
      `${path.join(folder, 'right')} cannot be read as a tree: tar-path-duplicate, two members have the same path (a)`,
    ])
  })

  it('has no such reason for what is no archive', async () => {
    const found = await explained(Buffer.alloc(4096, 1), Buffer.concat([Buffer.alloc(4095, 1), Buffer.from([2])]))
    expect([found.state, found.reason, found.totals.bytes]).toEqual(['complete', null, 1])
  })

  it('says that a file is not there', async () => {
    await writeFile(path.join(folder, 'left'), tarOf({}))
    await expect(explainFiles({ ...deps(), left: path.join(folder, 'left'), right: path.join(folder, 'none') })).rejects.toMatchObject({
      code: 'file-unreadable',
    })
  })
})

async function explained(left: Uint8Array, right: Uint8Array) {
  await writeFile(path.join(folder, 'left'), left)
  await writeFile(path.join(folder, 'right'), right)
  await mkdir(path.join(folder, 'scratch'))
  return await explainFiles({ ...deps(), left: path.join(folder, 'left'), right: path.join(folder, 'right') })
}

function deps() {
  return { blobs: memoryBlobs(), scratch: path.join(folder, 'scratch'), signal: new AbortController().signal }
}

function memoryBlobs(): BlobStore {
  const held = new Map<Sha256, Uint8Array>()
  return {
    async put(bytes) {
      const all = Buffer.concat(await Array.fromAsync(bytes))
      const sha256 = digestOf(all)
      held.set(sha256, all)
      return { sha256, size: all.length }
    },
    async open(sha256) {
      return (async function* () {
        yield held.get(sha256) ?? new Uint8Array()
      })()
    },
    size: (sha256) => Promise.resolve(held.get(sha256)?.length),
  }
}

/** A tar with the root and these files, in the order in which they are given. */
function tarOf(files: Record<string, string>): Uint8Array {
  const base = { uid: 0, gid: 0, mtime: '0', linkPath: null, device: null, xattrs: [] }
  const parts: Uint8Array[] = [encodeTarHeader({ ...base, path: Buffer.from('.'), type: 'directory', mode: 0o755, size: 0 })]
  for (const [name, content] of Object.entries(files)) {
    parts.push(encodeTarHeader({ ...base, path: Buffer.from(name), type: 'file', mode: 0o644, size: content.length }))
    parts.push(Buffer.concat([Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)]))
  }
  const body = Buffer.concat(parts)
  return Buffer.concat([body, Buffer.alloc(endPadding(body.length))])
}
