import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { expect, it, vi } from 'vitest'
import { processesOf, serveHanging } from '../testing/hanging-server.ts'
import { pinServed, SERVED_ACCESS, served, serveOneFile } from '../testing/pin-served.ts'
import { isEmpty } from '../testing/temporary.ts'

// They start programs, and share the machine with builds.
vi.setConfig({ testTimeout: 120_000 })

serveOneFile()

it('leaves neither files nor processes behind when it is cancelled in the midst of a fetch', async () => {
  const { server, hung } = await serveHanging(served.root)
  await using _ = server
  const controller = new AbortController()
  const reason = new Error('stopped')
  const pinning = pinServed(`${server.url}a.git`, { signal: controller.signal })
  await hung
  expect(processesOf(served.scratch).some((command) => command.includes('remote-http'))).toBe(true)
  controller.abort(reason)
  await expect(pinning).rejects.toBe(reason)
  expect(processesOf(served.scratch)).toEqual([])
  expect(await isEmpty(served.scratch)).toBe(true)
})

it('is cancelled by the time that is allowed', async () => {
  const { server } = await serveHanging(served.root)
  await using _ = server
  await expect(pinServed(`${server.url}a.git`, { limits: { maxTime: 2000 } })).rejects.toMatchObject({ code: 'source-time-limit' })
  expect(processesOf(served.scratch)).toEqual([])
  expect(await isEmpty(served.scratch)).toBe(true)
})

it('starts nothing for a signal that already fired', async () => {
  const reason = new Error('stopped')
  await expect(pinServed('http://forge.test/a.git', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(await isEmpty(served.scratch)).toBe(true)
})

it('takes git and its helpers along when it is killed', async () => {
  const { server, hung } = await serveHanging(served.root)
  await using _ = server
  const module = (name: string): string => JSON.stringify(path.join(import.meta.dirname, '..', name))
  const code = `import { pinSource } from ${module('pin-source.ts')}
    const ref = { kind: 'git', url: ${JSON.stringify(`${server.url}a.git`)}, revision: null, path: '.' }
    const deps = { scratch: ${JSON.stringify(served.scratch)}, access: ${JSON.stringify(SERVED_ACCESS)}, resolve: async () => ['127.0.0.1'] }
    await pinSource(ref, deps)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'ignore' })
  await hung
  expect(processesOf(served.scratch).some((command) => command.includes('remote-http'))).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await vi.waitFor(() => expect(processesOf(served.scratch)).toEqual([]), { timeout: 10_000 })
})
