import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSmallFile } from './small-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-small-file-'))
})
afterEach(() => rm(folder, { recursive: true }))

const at = (name: string): string => path.join(folder, name)

async function written(bytes: Uint8Array | string): Promise<string> {
  await writeFile(at('file'), bytes)
  return at('file')
}

describe('a file', () => {
  it.each([0, 1, 99, 100])('of %i bytes is read where 100 are taken', async (size) => {
    const bytes = Buffer.alloc(size, 7)
    expect(await readSmallFile(await written(bytes), { maxBytes: 100 })).toEqual({ bytes, mode: expect.any(Number) })
  })

  it('that is larger is not', async () => {
    expect(await readSmallFile(await written(Buffer.alloc(101)), { maxBytes: 100 })).toEqual({ bytes: null, why: 'too-large' })
  })

  it('of several reads is read whole', async () => {
    const bytes = Buffer.from(Uint32Array.from({ length: 300_000 }, (_, index) => index).buffer)
    expect((await readSmallFile(await written(bytes), { maxBytes: 1 << 24 })).bytes?.equals(bytes)).toBe(true)
  })

  it('says who may read it', async () => {
    const file = await written('')
    await chmod(file, 0o604)
    expect(await readSmallFile(file, { maxBytes: 1 })).toMatchObject({ mode: 0o604 })
  })

  it('behind a symbolic link is read, unless the link is not to be followed', async () => {
    await written('text')
    await symlink('file', at('link'))
    expect(await readSmallFile(at('link'), { maxBytes: 9 })).toMatchObject({ bytes: Buffer.from('text') })
    const unfollowed = await readSmallFile(at('link'), { maxBytes: 9, follow: false })
    expect(unfollowed).toMatchObject({ bytes: null, why: 'failed', cause: { code: 'ELOOP' } })
    expect(await readSmallFile(at('file'), { maxBytes: 9, follow: false })).toMatchObject({ bytes: Buffer.from('text') })
  })
})

// The kernel's own files say that they are empty: to a reader they grow while they are read.
describe('a file that grows', () => {
  it('is read whole where it stays small', async () => {
    const read = await readSmallFile('/proc/self/smaps', { maxBytes: 64 << 20 })
    expect(read.bytes?.toString()).toMatch(/^[0-9a-f]+-[0-9a-f]+ [^]*\nVmFlags: .*\n$/)
  })

  it('is read up to the bound where it does not', async () => {
    for (const maxBytes of [0, 1, 1000, 5000])
      expect(await readSmallFile('/proc/self/smaps', { maxBytes })).toEqual({ bytes: null, why: 'too-large' })
  })
})

describe('what is no file', () => {
  it.each([
    ['a folder', () => folder],
    ['a device', () => '/dev/zero'],
    [
      'a pipe that nobody writes to',
      () => {
        execFileSync('mkfifo', [at('pipe')])
        return at('pipe')
      },
    ],
  ])('is not read: %s', async (_, file) => {
    expect(await readSmallFile(file(), { maxBytes: 100 })).toEqual({ bytes: null, why: 'no-file' })
  })

  it('is told from what is not there, and from what cannot be opened', async () => {
    expect(await readSmallFile(at('absent'), { maxBytes: 1 })).toMatchObject({ why: 'absent', cause: { code: 'ENOENT' } })
    expect(await readSmallFile(path.join(await written(''), 'x'), { maxBytes: 1 })).toMatchObject({
      why: 'failed',
      cause: { code: 'ENOTDIR' },
    })
  })
})

it('stops where it is told to', async () => {
  const reason = new Error('enough')
  const file = await written('text')
  await expect(readSmallFile(file, { maxBytes: 9, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})
