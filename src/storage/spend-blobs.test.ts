import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { type LocalBlobs, openBlobFolder } from './blob-folder.ts'
import { spendBlobs } from './spend-blobs.ts'

let folder: string
let blobs: LocalBlobs
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spend-'))
  blobs = await openBlobFolder(folder)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** As if it had been put so many seconds ago. */
async function put(text: string, secondsAgo: number): Promise<Sha256> {
  const { sha256 } = await blobs.put(
    (async function* () {
      yield Buffer.from(text)
    })(),
  )
  const then = Date.now() / 1000 - secondsAgo
  await utimes(path.join(folder, 'sha256', sha256.slice(0, 2), sha256), then, then)
  return sha256
}

async function left(texts: readonly string[]): Promise<string[]> {
  const found = await Promise.all(texts.map(async (text) => ((await blobs.size(digestOf(text))) === undefined ? [] : [text])))
  return found.flat()
}

it('takes what was put longest ago, and neither what is spared nor what was put just now', async () => {
  const texts = ['old', 'older', 'oldest', 'spared', 'new']
  await put('old', 4000)
  await put('older', 5000)
  await put('oldest', 6000)
  const spared = new Set([await put('spared', 9000)])
  await put('new', 10)
  expect(await spendBlobs({ folder, blobs, spared, idleMs: 3_600_000, enough: async () => false })).toBe(3)
  expect(await left(texts)).toEqual(['spared', 'new'])
})

it('takes no more than is needed, the oldest first', async () => {
  const texts = Array.from({ length: 100 }, (_, at) => `blob ${at}`)
  for (const [at, text] of texts.entries()) await put(text, 10_000 - at)
  let looks = 0
  const enough = async (): Promise<boolean> => (looks += 1) === 3
  expect(await spendBlobs({ folder, blobs, spared: new Set(), idleMs: 1000, enough })).toBe(64)
  expect(await left(texts)).toEqual(texts.slice(64))
  expect(await spendBlobs({ folder, blobs, spared: new Set(), idleMs: 1000, enough: async () => true })).toBe(0)
})
