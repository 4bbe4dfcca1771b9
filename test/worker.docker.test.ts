import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { WorkingDocument } from '../src/app/service/working-document.ts'
import { DockerEngine } from '../verifier/builder/docker/engine.ts'
import { compareAttempts } from '../verifier/compare/judge.ts'
import { CliProcess, makeHomeLikeShared, runCli } from './cli-process.ts'
import { root } from './repository.ts'
import { sharedSettings, testRoom } from './shared-home.ts'
import { WorkerRoom } from './worker-room.ts'
import { type KnownWorker, WorkerServer } from './worker-server.ts'

const CASE = path.join(root, 'mkosi/corpus/cases/debian-minimal/recipe')
/** Nothing listens on the discard port: who has no mirror has its inputs from elsewhere, or not at all. */
const DEAD = 'debian=http://127.0.0.1:9/debian/ debian-security=http://127.0.0.1:9/debian-security/'

let folder: string
let room: WorkerRoom
let server: WorkerServer
const started: CliProcess[] = []

beforeAll(async () => {
  await testRoom()
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-worker-docker-'))
  room = await WorkerRoom.open('pglite', { blobBytes: 4 * 2 ** 30, leaseBytes: 16 * 2 ** 30 })
  server = await WorkerServer.open(room)
})
afterEach(() => {
  // Where a test failed.
  for (const worker of started.splice(0)) worker.child.kill('SIGKILL')
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await room?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function filesOf(dir: string): Promise<Record<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
  return Object.fromEntries(await Promise.all(files.map(async (file) => [path.relative(dir, file), await readFile(file, 'utf8')])))
}

type Machine = { readonly home: string; readonly known: KnownWorker }

/** A machine with a home and a key of its own. */
async function machine(name: string, builders: 'like shared' | 'none'): Promise<Machine> {
  const home = path.join(folder, name)
  if (builders === 'like shared') await makeHomeLikeShared(home)
  const known = await server.addWorker(name)
  await mkdir(path.join(home, 'keys'), { recursive: true, mode: 0o700 })
  await writeFile(path.join(home, 'keys', 'worker.pem'), known.pem, { mode: 0o600 })
  return { home, known }
}

async function start({ home }: Machine, environment: Record<string, string> = {}): Promise<CliProcess> {
  const engine = (await sharedSettings()).dockerHost ?? 'unix:///var/run/docker.sock'
  const all = { BITWITNESS_COORDINATOR: server.url.href, BITWITNESS_GRACE: '5m', ...environment }
  const worker = new CliProcess(['worker', '--json'], { home, engine, environment: all })
  started.push(worker)
  return worker
}

async function begun(worker: CliProcess): Promise<void> {
  await vi.waitFor(
    () => {
      if (!worker.stderr.includes('attempt begun')) throw new Error(worker.stderr)
    },
    { timeout: 60_000, interval: 100 },
  )
}

async function end(worker: CliProcess) {
  worker.child.kill('SIGTERM')
  return await worker.ended(400)
}

async function committed(id: string, count: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const states = (await room.store.reads.attempts.of(id)).filter(({ life }) => life.state === 'committed')
      expect(states).toHaveLength(count)
    },
    { timeout: 10_000, interval: 100 },
  )
}

it('workers on two machines, one of which has the builder from the other, build the same bits', { timeout: 900_000 }, async () => {
  const [first, second] = [await machine('first', 'like shared'), await machine('second', 'none')]
  const id = await room.submit(await filesOf(CASE), { submission: { attempts: 2 } })

  // It brings to its end what it has begun, and begins no other.
  const one = await start(first)
  await begun(one)
  const oneEnd = await end(one)
  await committed(id, 1)
  expect([oneEnd.code, WorkingDocument.parse(JSON.parse(oneEnd.stdout)).publicKey]).toEqual([0, first.known.key.publicKey])

  const two = await start(second, { BITWITNESS_MIRRORS: DEAD })
  await begun(two)
  const twoEnd = await end(two)
  await committed(id, 2)
  expect(twoEnd).toMatchObject({ code: 0, signal: null })

  const [live, replay] = (await room.store.reads.attempts.of(id)).map(({ report }) => report)
  if (live == null || replay == null) throw new Error('not reported')
  expect([live.outcome, live.mode, replay.outcome, replay.mode]).toEqual(['built', 'live', 'built', 'replay'])
  expect(compareAttempts([live, replay])).toMatchObject([{ result: 'equal', tier: 'bit-exact' }])
  expect([replay.builder, replay.lock, replay.sandbox?.digest]).toEqual([live.builder, live.lock, live.sandbox?.digest])
  expect(live.lock).not.toBeNull()

  // All that it takes to do it again, and to look at it, is at the coordinator.
  const kept = await room.store.reads.blobs.of(id)
  expect(new Set(kept.map(({ role }) => role))).toEqual(new Set(['artifact', 'lock', 'log', 'source', 'tree-manifest']))
  for (const { sha256, size } of kept) expect(await room.blobs.size(sha256)).toBe(size)
  const events = await room.store.reads.events.after(id, 0, 5000)
  expect(events.filter(({ kind }) => kind === 'log').length).toBeGreaterThan(10)
  expect(events.filter((event) => event.kind === 'stage-ended').map((event) => `${event.attempt} ${event.stage}`)).toEqual(
    [1, 2].flatMap((number) =>
      ['pin', 'builder', 'recipe', 'start', 'source', 'build', 'collect', 'compare'].map((stage) => `${number} ${stage}`),
    ),
  )

  // Nothing runs or lies about any more.
  for (const { home } of [first, second]) {
    expect(await readdir(path.join(home, 'work'))).toEqual([])
    const owner = (await readFile(path.join(home, 'id'), 'utf8')).trim()
    const engine = new DockerEngine({ host: (await sharedSettings()).dockerHost ?? undefined, home: owner, owner: 'nobody' })
    expect(await engine.leftovers(() => false)).toEqual({ containers: [], volumes: [] })
  }
  expect(server.seen.troubles).toEqual([])
})

it('a worker that is not registered says what to do, and ends', { timeout: 120_000 }, async () => {
  const stranger = await machine('stranger', 'like shared')
  await room.ports.unitOfWork.run(({ workers }) => workers.revoke('stranger', new Date()))
  const ended = await (await start(stranger)).ended(60)
  expect([ended.code, ended.stderr]).toEqual([3, expect.stringContaining('bitwitness worker add')])
  const nowhere = await runCli(['worker'], { home: stranger.home, engine: 'unix:///var/run/docker.sock' })
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('BITWITNESS_COORDINATOR')])
})
