import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { claimOutput } from './output-folder.ts'

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
