import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openBlobFolder } from './blob-folder.ts'
import { probeBlobs } from './blob-probe.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-probe-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('says that a folder takes blobs and how much room there is, and leaves nothing behind', async () => {
  await openBlobFolder(folder)
  expect(await probeBlobs(folder)).toEqual({ writable: true, freeBytes: expect.any(Number) })
  expect(await readdir(path.join(folder, 'tmp'))).toEqual([])
})

it('says that a folder takes none', async () => {
  // As after somebody emptied it: root may write whatever the mode says.
  expect(await probeBlobs(folder)).toMatchObject({ writable: false })
  await expect(probeBlobs(path.join(folder, 'gone'))).rejects.toThrow('ENOENT')
})
