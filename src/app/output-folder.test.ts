import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { claimOutput, writeOutput } from './output-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-output-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('makes the folder, and takes it away again where nothing was written', async () => {
  const output = path.join(folder, 'a', 'out')
  {
    await using _claimed = await claimOutput(output)
    expect((await stat(output)).isDirectory()).toBe(true)
  }
  expect(await readdir(path.join(folder, 'a'))).toEqual([])
})

it('leaves what was written, and a folder that was there', async () => {
  const [written, there] = [path.join(folder, 'written'), path.join(folder, 'there')]
  await mkdir(there)
  {
    await using _written = await claimOutput(written)
    await using _there = await claimOutput(there)
    await writeFile(path.join(written, 'file'), '')
  }
  expect([await readdir(written), await readdir(there)]).toEqual([['file'], []])
})

it('refuses what cannot be used before anything costs time', async () => {
  await writeFile(path.join(folder, 'file'), '')
  await symlink('nowhere', path.join(folder, 'dangling'))
  for (const output of [
    path.join(folder, 'file'),
    path.join(folder, 'file', 'below'),
    path.join(folder, 'dangling'),
    '/proc/not-there/out',
  ])
    await expect(claimOutput(output)).rejects.toMatchObject({ code: 'output-unusable' })
  await expect(claimOutput(folder)).rejects.toMatchObject({ code: 'output-not-empty' })
})

it('writes all files or none, and leaves nothing else', async () => {
  const output = path.join(folder, 'a', 'out')
  // A name that no file system takes stands for a disk that is full after the first file.
  const unwritable = new Map([
    ['first', 'x'],
    ['x'.repeat(300), 'x'],
  ])
  await expect(writeOutput(output, unwritable)).rejects.toMatchObject({ code: 'output-unusable' })
  expect(await readdir(output)).toEqual([])
  await writeOutput(output, new Map([['first', 'x']]))
  expect(await readdir(output)).toEqual(['first'])
  await expect(writeOutput(output, new Map([['second', 'x']]))).rejects.toMatchObject({ code: 'output-not-empty' })
  expect(await readdir(output)).toEqual(['first'])
})

it('holds the files of one writer, however many write at once', async () => {
  const output = path.join(folder, 'out')
  const writing = ['a', 'b', 'c', 'd'].map((name) =>
    writeOutput(output, new Map(['1', '2', '3'].map((number) => [`${name}${number}`, name]))),
  )
  const ends = await Promise.allSettled(writing)
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'output-not-empty' })
  expect(new Set((await readdir(output)).map((name) => name[0])).size).toBe(1)
  expect(await readdir(output)).toHaveLength(3)
})
