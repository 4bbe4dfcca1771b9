import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openHome } from './home.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-home-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('makes a home and its folders for the owner only, and finds it again', async () => {
  const root = path.join(folder, 'deep', 'home')
  const home = await openHome(root)
  expect(Object.keys(home)).toEqual(['root', 'blobs', 'builders', 'keys', 'work', 'db'])
  for (const made of Object.values(home)) expect((await stat(made)).mode & 0o777).toBe(0o700)
  expect(await openHome(root)).toEqual(home)
})

it('refuses a home in which others may write', async () => {
  await openHome(path.join(folder, 'home'))
  await chmod(path.join(folder, 'home', 'keys'), 0o770)
  await expect(openHome(path.join(folder, 'home'))).rejects.toMatchObject({ code: 'home-not-private' })
})

it('refuses a home that is a file, or lies below one', async () => {
  await writeFile(path.join(folder, 'file'), '')
  await expect(openHome(path.join(folder, 'file'))).rejects.toMatchObject({ code: 'home-unusable' })
  await expect(openHome(path.join(folder, 'file', 'home'))).rejects.toMatchObject({ code: 'home-unusable' })
  await expect(openHome('/proc/not-there/home')).rejects.toMatchObject({ code: 'home-unusable' })
})

it('refuses a home whose folder is a file', async () => {
  await mkdir(path.join(folder, 'home'), { mode: 0o700 })
  await writeFile(path.join(folder, 'home', 'db'), '')
  await expect(openHome(path.join(folder, 'home'))).rejects.toMatchObject({ code: 'home-unusable' })
})
