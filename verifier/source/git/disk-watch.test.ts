import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { temporary } from '../testing/temporary.ts'
import { sizeOf, withinSize } from './disk-watch.ts'

const TOO_LARGE = { code: 'source-size-limit', data: { limit: 9 } }

it('stops what writes more than allowed while it still runs', async () => {
  const folder = await temporary()
  const writing = withinSize(folder, 9, async (signal) => {
    await writeFile(path.join(folder, 'a'), '0123456789')
    await once(signal, 'abort')
    signal.throwIfAborted()
  })
  await expect(writing).rejects.toMatchObject(TOO_LARGE)
})

it('fails what wrote more than allowed before anyone looked', async () => {
  const folder = await temporary()
  await mkdir(path.join(folder, 'deep/er'), { recursive: true })
  await expect(withinSize(folder, 9, () => writeFile(path.join(folder, 'deep/er/a'), '0123456789'))).rejects.toMatchObject(TOO_LARGE)
})

it('gives what came out within the limit, and passes on what went wrong', async () => {
  const folder = await temporary()
  await writeFile(path.join(folder, 'a'), '012345678')
  expect(await withinSize(folder, 9, async () => 'done')).toBe('done')
  const error = new Error('of its own')
  await expect(withinSize(folder, 9, () => Promise.reject(error))).rejects.toBe(error)
})

it('takes a folder that is gone for an empty one', async () => {
  expect(await sizeOf(path.join(await temporary(), 'gone'))).toBe(0)
})
