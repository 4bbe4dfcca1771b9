import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { homeId } from './home-id.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-home-id-'))
  file = path.join(folder, 'id')
})
afterEach(() => rm(folder, { recursive: true }))

it('is made once, for all who start at the same time', async () => {
  const ids = await Promise.all(Array.from({ length: 16 }, () => homeId(file)))
  expect(new Set(ids).size).toBe(1)
  expect(await homeId(file)).toBe(ids[0])
  expect(await readdir(folder)).toEqual(['id'])
})

it('is made anew where a crash left the file without it', async () => {
  for (const left of ['', 'not a name\n']) {
    await writeFile(file, left)
    const id = await homeId(file)
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(await homeId(file)).toBe(id)
  }
})

it('rejects where the file cannot be read', async () => {
  await expect(homeId(folder)).rejects.toMatchObject({ code: 'EISDIR' })
})
