import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

/** A demonstration with a service, and a command that does not end before somebody ends it. */
const DEMO = `
  import { DemoCommands } from './tools/demo-commands.ts'
  import { DemoProcesses } from './tools/demo-processes.ts'
  import { DemoService } from './tools/demo-service.ts'
  const processes = new DemoProcesses()
  try {
    await using service = await DemoService.start(processes, process.env.BITWITNESS_HOME, console.log)
    if (process.env.FAIL === '1') throw new Error('it fails')
    await new DemoCommands(processes).run(['serve', '--no-worker'], 0, { ...service.environment, BITWITNESS_HOME: process.env.BITWITNESS_HOME + '/other' })
  } catch (error) {
    console.log('caught ' + error.message + ' ' + processes.stoppedBy)
  } finally {
    await processes[Symbol.asyncDispose]()
  }`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-demo-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Processes that have this home in their environment. */
async function processesOf(home: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')))
  return pids.filter((_pid, index) => environments[index]?.includes(home))
}

async function demonstrate(name: string, environment: Readonly<Record<string, string>> = {}) {
  const home = path.join(folder, name)
  for (const part of ['blobs', 'builders']) await mkdir(path.join(home, part), { recursive: true, mode: 0o700 })
  const child = spawn(process.execPath, ['--input-type=module', '--eval', DEMO], {
    cwd: path.join(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment, BITWITNESS_HOME: home, DOCKER_HOST: 'unix:///nowhere' },
  })
  let said = ''
  const listens = new Promise<void>((resolve) => {
    child.stdout.on('data', (part: Buffer) => {
      said += part.toString('utf8')
      if (said.includes('$ bitwitness serve --no-worker')) resolve()
    })
  })
  const ended = once(child, 'close').then(() => said)
  return { home, child, listens, ended }
}

it.each(['SIGINT', 'SIGHUP'] as const)('leaves no process of the demonstration behind at %s', async (signal) => {
  const { home, child, listens, ended } = await demonstrate(signal)
  await listens
  expect((await processesOf(home)).length).toBeGreaterThan(1)
  child.kill(signal)
  expect(await ended).toMatch(new RegExp(`caught ended before it was over ${signal}\n$`))
  expect(await processesOf(home)).toEqual([])
})

it('leaves none behind where the demonstration fails', async () => {
  const { home, ended } = await demonstrate('fails', { FAIL: '1' })
  expect(await ended).toContain('caught it fails undefined')
  expect(await processesOf(home)).toEqual([])
})
