import { mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { oneChunk } from '../../verifier/bytes/one-chunk.ts'
import { type LocalBlobs, openBlobFolder } from './blob-folder.ts'
import { asideName, sweepLeftovers } from './blob-leftovers.ts'

const HOUR = 3600_000
const WHOLE = 'whole'
const sha256 = digestOf(WHOLE)

let dir: string
let blobs: LocalBlobs
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'blob-removal-'))
  blobs = await openBlobFolder(dir)
})
afterEach(() => rm(dir, { recursive: true }))

const placeOf = (digest: string): string => path.join(dir, 'sha256', digest.slice(0, 2), digest)
const grown = async (ms: number): Promise<void> => {
  const then = (Date.now() - ms) / 1000
  await utimes(placeOf(sha256), then, then)
}
const put = () => blobs.put(oneChunk(WHOLE))

describe('a blob that is removed', () => {
  it('goes where nobody put it for so long, and then is gone', async () => {
    await put()
    await grown(2 * HOUR)
    expect(await blobs.remove(sha256, HOUR)).toBe(true)
    expect(await blobs.size(sha256)).toBeUndefined()
    expect(await blobs.remove(sha256, HOUR)).toBe(true)
    expect(await readdir(path.join(dir, 'tmp'))).toEqual([])
  })

  it('stays where somebody put it, for the first time or again', async () => {
    await put()
    expect(await blobs.remove(sha256, HOUR)).toBe(false)
    await grown(2 * HOUR)
    await put()
    expect(Date.now() - (await stat(placeOf(sha256))).mtimeMs).toBeLessThan(HOUR)
    expect(await blobs.remove(sha256, HOUR)).toBe(false)
    expect(await blobs.size(sha256)).toBe(WHOLE.length)
  })

  it('is there after each put, however many put and remove it at the same moment', async () => {
    const other = await openBlobFolder(dir)
    for (let round = 0; round < 300; round += 1) {
      await put()
      await grown(2 * HOUR)
      await Promise.all([blobs.remove(sha256, HOUR), put(), other.remove(sha256, HOUR), other.put(oneChunk(WHOLE))])
      expect(await blobs.size(sha256), `in round ${round}`).toBe(WHOLE.length)
    }
    expect(await readdir(path.join(dir, 'tmp'))).toEqual([])
  })

  it('goes back to its place where whoever removed it was killed', async () => {
    await put()
    const tmp = path.join(dir, 'tmp')
    const aside = path.join(tmp, asideName(sha256, 'aa'))
    await rename(placeOf(sha256), aside)
    // Perhaps it is being removed at this moment.
    await sweepLeftovers(tmp, placeOf)
    expect(await blobs.size(sha256)).toBeUndefined()
    await sweepLeftovers(tmp, placeOf, Date.now() + HOUR)
    expect(Buffer.concat(await Array.fromAsync(await blobs.open(sha256))).toString()).toBe(WHOLE)
    // What was put meanwhile stays.
    await writeFile(aside, 'older')
    await sweepLeftovers(tmp, placeOf, Date.now() + HOUR)
    expect(Buffer.concat(await Array.fromAsync(await blobs.open(sha256))).toString()).toBe(WHOLE)
    expect(await readdir(tmp)).toEqual([])
  })
})
