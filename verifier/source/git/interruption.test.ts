import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { beforeEach, expect, it, vi } from 'vitest'
import { pinSource } from '../pin-source.ts'
import type { PinnedTree } from '../pinned-tree.ts'
import { parseSourceRef, type SourceAccess } from '../source-ref.ts'
import { processesOf, serveHanging } from '../testing/hanging-server.ts'
import { BareRepository } from '../testing/objects.ts'
import { isEmpty, temporary } from '../testing/temporary.ts'

// They start programs, and share the machine with builds.
vi.setConfig({ testTimeout: 120_000 })

const ACCESS: SourceAccess = { files: false, localRepositories: false, plainHttp: true, privateHosts: true }

let root: string
let scratch: string
beforeEach(async () => {
  root = await temporary()
  scratch = await temporary()
  const repository = new BareRepository(root)
  repository.commit(repository.tree(['100644', 'a', repository.object('blob', 'content')]))
})

async function pin(url: string, o: { signal?: AbortSignal; maxTime?: number } = {}): Promise<PinnedTree> {
  const limits = o.maxTime === undefined ? {} : { maxTime: o.maxTime }
  const signal = o.signal === undefined ? {} : { signal: o.signal }
  return pinSource(parseSourceRef(url, ACCESS), { scratch, access: ACCESS, limits, resolve: async () => ['127.0.0.1'], ...signal })
}

it('leaves neither files nor processes behind when it is cancelled in the midst of a fetch', async () => {
  const { server, hung } = await serveHanging(root)
  await using _ = server
  const controller = new AbortController()
  const reason = new Error('stopped')
  const pinning = pin(`${server.url}a.git`, { signal: controller.signal })
  await hung
  expect(processesOf(scratch).some((command) => command.includes('remote-http'))).toBe(true)
  controller.abort(reason)
  await expect(pinning).rejects.toBe(reason)
  expect(processesOf(scratch)).toEqual([])
  expect(await isEmpty(scratch)).toBe(true)
})

it('is cancelled by the time that is allowed', async () => {
  const { server } = await serveHanging(root)
  await using _ = server
  await expect(pin(`${server.url}a.git`, { maxTime: 2000 })).rejects.toMatchObject({ code: 'source-time-limit' })
  expect(processesOf(scratch)).toEqual([])
  expect(await isEmpty(scratch)).toBe(true)
})

it('starts nothing for a signal that already fired', async () => {
  const reason = new Error('stopped')
  await expect(pin('http://forge.test/a.git', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(await isEmpty(scratch)).toBe(true)
})

it('takes git and its helpers along when it is killed', async () => {
  const { server, hung } = await serveHanging(root)
  await using _ = server
  const module = (name: string): string => JSON.stringify(path.join(import.meta.dirname, '..', name))
  const code = `import { pinSource } from ${module('pin-source.ts')}
    const ref = { kind: 'git', url: ${JSON.stringify(`${server.url}a.git`)}, revision: null, path: '.' }
    const deps = { scratch: ${JSON.stringify(scratch)}, access: ${JSON.stringify(ACCESS)}, resolve: async () => ['127.0.0.1'] }
    await pinSource(ref, deps)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'ignore' })
  await hung
  expect(processesOf(scratch).some((command) => command.includes('remote-http'))).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await vi.waitFor(() => expect(processesOf(scratch)).toEqual([]), { timeout: 10_000 })
})
