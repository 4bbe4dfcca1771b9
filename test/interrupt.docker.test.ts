import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LABEL_OWNER } from '../verifier/builder/docker/container-spec.ts'
import { root } from './repository.ts'
import { sharedSettings, testRoom } from './shared-home.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-interrupt-'))
  await testRoom()
})
afterAll(() => rm(folder, { recursive: true }))

it('ends a build at the first interruption with 130 and a document that says so, and leaves nothing behind', async () => {
  const { home } = await sharedSettings()
  const { room } = await testRoom()
  const source = path.join(root, 'mkosi/corpus/cases/never-ends/recipe')
  const program = path.join(root, 'src/bin/main.ts')
  const child = spawn(process.execPath, [program, 'check', source, '--json'], {
    env: { ...process.env, BITWITNESS_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()))
  const building = new Promise<void>((resolve) => {
    child.stderr.on('data', (part: Buffer) => {
      stderr += part.toString()
      if (stderr.includes('build …')) resolve()
    })
  })
  await Promise.race([building, once(child, 'exit')])
  // What must be gone afterwards is there now: the check below could not fail otherwise.
  const held = async (): Promise<{ containers: number; folders: number }> => ({
    containers: (await room.engine.client.listContainers({ all: true })).filter(({ Labels }) => ours(Labels[LABEL_OWNER] ?? '')).length,
    folders: (await readdir(path.join(home, 'work'))).filter(ours).length,
  })
  const ours = (owner: string): boolean => new RegExp(`^${child.pid}\\D`).test(owner)
  expect(await held()).toEqual({ containers: 1, folders: 1 })
  child.kill('SIGINT')
  const [exit] = (await once(child, 'close')) as [number | null]
  expect([exit, JSON.parse(stdout).verdict]).toEqual([130, null])
  expect(stderr).toContain('stopping')
  expect(await held()).toEqual({ containers: 0, folders: 0 })
})
