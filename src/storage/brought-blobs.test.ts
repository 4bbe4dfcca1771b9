import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { oneChunk } from '../../verifier/bytes/one-chunk.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { openBlobFolder } from './blob-folder.ts'
import { BroughtBlobs } from './brought-blobs.ts'

const HOUR = 3_600_000

let dir: string
let brought: BroughtBlobs
let looked: string[][]
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1000 * HOUR })
  dir = await mkdtemp(path.join(tmpdir(), 'brought-blobs-'))
  brought = new BroughtBlobs(dir)
  looked = []
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(dir, { recursive: true })
})

const put = async (text: string): Promise<Sha256> => (await (await openBlobFolder(dir, brought)).put(oneChunk(text))).sha256
const settle = (atOnce = 100) =>
  brought.settle({ idleMs: HOUR, atOnce }, async (digests) => {
    looked.push([...digests])
  })
const left = () => readdir(path.join(dir, 'brought'))

it('shows once what was put long enough ago, and was not there before', async () => {
  const first = await put('one')
  vi.setSystemTime(1001 * HOUR)
  const second = await put('two')
  // It was there.
  expect(await put('one')).toBe(first)
  await settle()
  expect(looked).toEqual([])
  vi.setSystemTime(1002 * HOUR)
  await settle()
  expect(looked.splice(0)).toEqual([[first]])
  vi.setSystemTime(1003 * HOUR)
  await settle()
  expect(looked.splice(0)).toEqual([[second]])
  await settle()
  expect([looked, await left()]).toEqual([[], []])
})

it('shows a blob that is put by nobody else’s word, and no more at a time than may be', async () => {
  const digests: Sha256[] = []
  for (let number = 0; number < 5; number += 1) digests.push(await put(`number ${number}`))
  await (await openBlobFolder(dir)).put(oneChunk('of a command of this home'))
  vi.setSystemTime(1010 * HOUR)
  await settle(2)
  expect(looked.map(({ length }) => length)).toEqual([2, 2, 1])
  expect(looked.flat().toSorted()).toEqual(digests.toSorted())
})

it('is there before the blob, so that a kill leaves no blob without it', async () => {
  const killed = new Error('killed')
  const told = { bring: () => Promise.reject(killed) }
  await expect((await openBlobFolder(dir, told)).put(oneChunk('one'))).rejects.toBe(killed)
  expect(
    await readdir(path.join(dir, 'sha256'), { recursive: true, withFileTypes: true }).then((all) => all.filter((one) => one.isFile())),
  ).toEqual([])
})

it('shows again what was not looked at to the end', async () => {
  const one = await put('one')
  vi.setSystemTime(1010 * HOUR)
  const stop = new Error('killed')
  await expect(brought.settle({ idleMs: HOUR, atOnce: 1 }, () => Promise.reject(stop))).rejects.toBe(stop)
  await settle()
  expect(looked).toEqual([[one]])
  await brought.settle({ idleMs: HOUR, atOnce: 1 }, () => Promise.reject(stop))
})
