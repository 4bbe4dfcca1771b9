import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeWhole, writeWhole } from './whole-file.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-whole-file-'))
  file = path.join(folder, 'file')
})
afterEach(() => rm(folder, { recursive: true }))

const text = (): Promise<string> => readFile(file, 'utf8')

describe('a whole file', () => {
  it.each(['', 'text', Buffer.alloc(3 << 20, 7)])('has what was written, and nothing lies beside it', async (bytes) => {
    await writeWhole(file, bytes)
    expect((await readFile(file)).equals(Buffer.from(bytes))).toBe(true)
    expect(await readdir(folder)).toEqual(['file'])
  })

  it('takes the place of the one before, at once', async () => {
    await writeFile(file, 'the one before')
    const given = await makeWhole(file, async (part) => {
      await writeFile(part, 'the other')
      expect(await text()).toBe('the one before')
      // A rename is one step only within a file system.
      expect(path.dirname(part)).toBe(folder)
      return 7
    })
    expect([given, await text(), await readdir(folder)]).toEqual([7, 'the other', ['file']])
  })

  it('may have a name as long as names may be', async () => {
    file = path.join(folder, 'n'.repeat(255))
    await writeWhole(file, 'text')
    expect(await text()).toBe('text')
  })

  it('is one of two that are written at once', async () => {
    const texts = ['a', 'b'].map((letter) => letter.repeat(1 << 20))
    await Promise.all(texts.map((one) => writeWhole(file, one)))
    expect(texts).toContain(await text())
    expect(await readdir(folder)).toEqual(['file'])
  })
})

describe('a file that cannot be whole', () => {
  it('does not appear, and the one before stays', async () => {
    await writeFile(file, 'the one before')
    const reason = new Error('no more')
    const run = makeWhole(file, async (part) => {
      await writeFile(part, 'half')
      throw reason
    })
    await expect(run).rejects.toBe(reason)
    expect([await text(), await readdir(folder)]).toEqual(['the one before', ['file']])
  })

  it('leaves nothing where a folder has its name, or its folder is not there', async () => {
    await mkdir(path.join(file, 'x'), { recursive: true })
    await expect(writeWhole(file, 'text')).rejects.toMatchObject({ code: 'EISDIR' })
    await expect(writeWhole(path.join(folder, 'absent', 'file'), 'text')).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await readdir(folder)).toEqual(['file'])
  })

  it('was never begun where nothing was written', async () => {
    await expect(makeWhole(file, () => Promise.resolve())).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
