import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { authenticator } from '../src/app/service/authenticate.ts'
import { controlServer } from '../src/control/control-server.ts'
import { operatorOf } from '../src/operator-room.ts'
import { openStore } from '../src/store-access.ts'
import type { StoreRoom } from '../src/store-room.ts'
import { runCli } from './cli-process.ts'
import { newId } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'bitwitness-operator-'))
})
afterEach(() => rm(home, { recursive: true }))

describe.each(databases())('the operator’s commands on %s', (kind) => {
  let place: EmptyDatabase
  beforeEach(async () => {
    place = await emptyDatabase(kind)
  })
  afterEach(() => place[Symbol.asyncDispose]())

  /** A command in a process of its own. */
  async function cli(...args: readonly string[]) {
    const environment: Record<string, string> = place.url === null ? {} : { DATABASE_URL: place.url.reveal() }
    const { code, stdout, stderr } = await runCli(args, { home, engine: 'unix:///nowhere', environment })
    return { code, stdout, stderr }
  }
  const json = async (...args: readonly string[]) => JSON.parse((await cli(...args, '--json')).stdout) as Record<string, unknown>
  /** As a server of this home has it. */
  const opened = () =>
    openStore({ settings: { home, databaseUrl: place.url, databaseUrlFile: null, lease: 60 }, superviseSeconds: null, onTrouble })
  async function codeOf(store: StoreRoom, secret: string): Promise<string> {
    const { unitOfWork, reads } = store
    const known = authenticator({ unitOfWork, reads, now: () => new Date(), newId, identify: () => Promise.resolve(undefined) })
    return await known(`Bearer ${secret}`).then(
      ({ owner }) => owner.name,
      (error: unknown) => String((error as { code?: unknown }).code),
    )
  }

  it('make, list and end a token that a server then takes, and no more', async () => {
    const made = await cli('token', 'create', 'ci', '--owner', 'acme', '--days', '1')
    expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/^bw_[\w-]{43}\n$/)])
    const secret = made.stdout.trim()
    const listed = await cli('token', 'list')
    expect(listed.stdout).toMatch(/^[0-9a-f-]{36}\n {2}ci, of acme, for submit and cancel; never used, until [^,]+\n$/)
    expect(listed.stdout + listed.stderr).not.toContain(secret)
    const id = listed.stdout.split('\n')[0] ?? ''
    expect(await json('token', 'revoke', id)).toMatchObject({
      schema: 'bitwitness/token-revoked/v1',
      token: { id, revokedAt: expect.any(String) },
    })
    await using store = await opened()
    expect(await codeOf(store, secret)).toBe('token-invalid')
  })

  it('make a worker known by the key that its machine shows', async () => {
    const key = await cli('worker', 'key')
    expect(key).toMatchObject({ code: 0, stderr: '' })
    expect((await stat(path.join(home, 'keys', 'worker.pem'))).mode & 0o777).toBe(0o600)
    const publicKey = key.stdout.trim()
    expect(await json('worker', 'add', 'one', publicKey)).toMatchObject({
      schema: 'bitwitness/worker-added/v1',
      worker: { name: 'one', publicKey },
    })
    expect((await cli('worker', 'revoke', 'one')).stdout).toContain('revoked')
    await using store = await opened()
    expect(await store.reads.workers.withKey(publicKey)).toBeUndefined()
  })

  it('work while a server has the database open', async () => {
    await using store = await opened()
    await using _ = await controlServer({ operator: operatorOf(store), home })
    const made = await json('token', 'create', 'ci', '--owner', 'acme')
    expect(made).toMatchObject({ schema: 'bitwitness/token-created/v1', token: { name: 'ci' } })
    expect(await codeOf(store, String(made['secret']))).toBe('acme')
    expect((await cli('token', 'list')).stdout).toContain('ci, of acme')
    expect(await cli('worker', 'revoke', 'nobody')).toMatchObject({ code: 2, stderr: expect.stringContaining('(worker-unknown)') })
  })

  it('ask the server of the home where they are told of no database, whichever it has', async () => {
    await using store = await opened()
    await using _ = await controlServer({ operator: operatorOf(store), home })
    const made = await runCli(['token', 'create', 'ci', '--owner', 'acme'], { home, engine: 'unix:///nowhere' })
    expect([made.code, await codeOf(store, made.stdout.trim())]).toEqual([0, 'acme'])
  })
})

it('a command fails where a program has the database of the home open and does not answer', async () => {
  await using place = await emptyDatabase('pglite')
  await using store = await openStore({
    settings: { home, databaseUrl: null, databaseUrlFile: null, lease: 60 },
    superviseSeconds: null,
    onTrouble,
  })
  const { code, stdout, stderr } = await runCli(['token', 'list', '--json'], { home, engine: 'unix:///nowhere' })
  expect([code, JSON.parse(stdout)]).toEqual([
    3,
    expect.objectContaining({ code: 'home-in-use', hint: expect.stringContaining('DATABASE_URL') }),
  ])
  expect(stderr).toContain('(home-in-use)')
  expect(await readdir(home)).not.toContain('control.sock')
  expect([store.database.kind, place.url]).toEqual(['pglite', null])
})

it('a database that does not answer shows nothing of its address', async () => {
  const environment = { DATABASE_URL: 'postgres://operator:s3cret@127.0.0.1:1/bitwitness' }
  const { code, stdout, stderr } = await runCli(['token', 'list', '--json'], { home, engine: 'unix:///nowhere', environment })
  expect([code, JSON.parse(stdout)]).toEqual([3, expect.objectContaining({ code: 'database-unreachable' })])
  for (const part of ['s3cret', 'operator:', '127.0.0.1']) expect(stdout + stderr).not.toContain(part)
})
