import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lockForProcess } from './process-lock.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-lock-'))
  file = path.join(folder, 'db.lock')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('is held by one, and leaves nothing', async () => {
  {
    await using _held = await lockForProcess(file)
    await expect(lockForProcess(file)).rejects.toMatchObject({ code: 'home-in-use' })
    expect(await readdir(folder)).toEqual(['db.lock'])
  }
  expect(await readdir(folder)).toEqual([])
  await using _again = await lockForProcess(file)
})

it('is taken from a process that is gone, by one of many', async () => {
  const program = `
    const { lockForProcess } = await import(${JSON.stringify(path.join(import.meta.dirname, 'process-lock.ts'))})
    await lockForProcess(${JSON.stringify(file)})
    process.kill(process.pid, 'SIGKILL')`
  expect(() => execFileSync(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })).toThrow('Command failed')
  expect(await readdir(folder)).toContain('db.lock')
  const tried = await Promise.allSettled(Array.from({ length: 8 }, () => lockForProcess(file)))
  expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const one of tried) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'home-in-use' })
})

it('is taken where its file says nothing of a process', async () => {
  await writeFile(file, 'rubbish')
  await using _held = await lockForProcess(file)
  expect(await readdir(folder)).toEqual(['db.lock'])
})
