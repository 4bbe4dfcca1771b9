import { chmod, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeFolder } from './make-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-folder-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('makes what is missing, and takes what is there', async () => {
  const deep = path.join(folder, 'a', 'b', 'c')
  await makeFolder(deep, 0o700)
  await makeFolder(deep)
  expect([(await stat(deep)).isDirectory(), (await stat(deep)).mode & 0o777]).toEqual([true, 0o700])
  await symlink('a', path.join(folder, 'link'))
  await makeFolder(path.join(folder, 'link', 'b', 'd'))
  expect((await stat(path.join(folder, 'a', 'b', 'd'))).isDirectory()).toBe(true)
  await makeFolder('/')
})

it('makes a folder that others make meanwhile', async () => {
  const deep = path.join(folder, 'x', 'y', 'z')
  await Promise.all(Array.from({ length: 8 }, () => makeFolder(deep)))
  expect((await stat(deep)).isDirectory()).toBe(true)
})

it('rejects where something else has the name', async () => {
  await writeFile(path.join(folder, 'file'), '')
  await expect(makeFolder(path.join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolder(path.join(folder, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  await symlink('nowhere', path.join(folder, 'dangling'))
  await expect(makeFolder(path.join(folder, 'dangling'))).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(makeFolder(path.join(folder, 'dangling', 'below'))).rejects.toMatchObject({ code: 'ENOENT' })
  await chmod(folder, 0o700)
})

it('comes to an end on a file system that takes no names', async () => {
  await expect(makeFolder('/proc/not-there')).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(makeFolder('/proc/not-there/below/it')).rejects.toMatchObject({ code: 'ENOENT' })
})
