import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isAlive, processIdentity } from './process-identity.ts'
import { makeScratch, sweepScratch } from './scratch.ts'

let work: string
beforeEach(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'scratch-'))
})
afterEach(() => rm(work, { recursive: true, force: true }))

it('removes its folder at the end', async () => {
  {
    await using scratch = await makeScratch(work)
    await writeFile(path.join(scratch.path, 'file'), 'x')
  }
  expect(await readdir(work)).toEqual([])
})

it('leaves the folder of a running process alone', async () => {
  await using scratch = await makeScratch(work)
  expect(await sweepScratch(work)).toBe(0)
  await expect(access(scratch.path)).resolves.toBeUndefined()
})

it('sweeps what a killed process left', async () => {
  const code = `import { makeScratch } from ${JSON.stringify(path.join(import.meta.dirname, 'scratch.ts'))}
    await makeScratch(${JSON.stringify(work)}); console.log('made'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  expect(await sweepScratch(work)).toBe(0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await sweepScratch(work)).toBe(1)
  expect(await readdir(work)).toEqual([])
})

it('sweeps folders that no process of ours could have made', async () => {
  await mkdir(path.join(work, 'attempt'))
  expect(await sweepScratch(work)).toBe(1)
})

it('knows a process that took a pid anew from the one that had it', () => {
  const [pid, , boot] = processIdentity().split('.')
  expect(isAlive(processIdentity())).toBe(true)
  expect(isAlive(`${pid}.1.${boot}`)).toBe(false)
  expect(isAlive(`${pid}..`)).toBe(false)
  expect(isAlive(processIdentity().split('.').slice(0, 3).join('.'))).toBe(true)
  expect(isAlive('')).toBe(false)
})

it('leaves alone what a process may hold whose pids it cannot see', async () => {
  const [pid, start, boot, namespace] = processIdentity().split('.')
  const elsewhere = `${pid}.1.${boot}.${Number(namespace) + 1}`
  expect(isAlive(elsewhere)).toBe(true)
  await mkdir(path.join(work, `${elsewhere}-0123`))
  expect(await sweepScratch(work)).toBe(0)
  expect(isAlive(`${pid}.1.${boot}.${namespace}`)).toBe(false)
  expect(isAlive(`${pid}.${start}.000000000000.${Number(namespace) + 1}`)).toBe(false)
})
