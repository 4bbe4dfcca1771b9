import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { DockerEngine } from '../verifier/builder/docker/engine.ts'
import { startSecondEngine } from './second-engine.ts'

it('a second engine keeps its data over a kill, and leaves nothing of itself', async () => {
  const engine = await startSecondEngine({ fileSystem: 'btrfs' })
  const folder = path.dirname(engine.data)
  const client = new DockerEngine({ host: engine.host, home: 'second-engine-test', owner: '' })
  await client.client.createVolume({ Name: 'kept', Labels: { ...client.labels } })
  expect(await traces(folder)).not.toEqual([])
  await engine.kill()
  expect(await client.answers()).toBe(false)
  await engine.start()
  expect(await client.leftovers(() => false)).toEqual({ containers: [], volumes: ['kept'] })
  await engine[Symbol.asyncDispose]()
  expect(await traces(folder)).toEqual([])
})

/** Mounts, loop devices and processes that name the folder, and the folder. */
async function traces(folder: string): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  const loops: string[] = []
  for (const name of await readdir('/sys/block')) loops.push(await readFile(`/sys/block/${name}/loop/backing_file`, 'utf8').catch(() => ''))
  const processes: string[] = []
  for (const name of await readdir('/proc'))
    if (/^\d+$/.test(name)) processes.push(await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => ''))
  const found = [...mounts, ...loops, ...processes].filter((line) => line.includes(folder))
  return existsSync(folder) ? [folder, ...found] : found
}
