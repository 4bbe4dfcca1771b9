import { describe, expect, it } from 'vitest'
import { Failure } from '../../verifier/model/failure.ts'
import type { Operator } from '../app/service/operator.ts'
import type { RegisteredWorker, TokenRequest, TokenView } from '../app/service/operator-documents.ts'
import { WorkerPublicKey } from '../app/service/worker-public-key.ts'
import { ran } from './testing/terminal.ts'

const ID = '0199f0a0-0000-7000-8000-000000000001'
const SECRET = `bw_${'a'.repeat(43)}`
const KEY = WorkerPublicKey.parse('MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=')
const token: TokenView = {
  id: ID,
  name: 'ci of app',
  owner: { id: ID, name: 'acme' },
  scopes: ['submit', 'cancel'],
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-04-01T00:00:00.000Z',
  revokedAt: null,
  lastUsedAt: null,
}
const worker: RegisteredWorker = {
  id: ID,
  name: 'one',
  place: 'remote',
  publicKey: KEY,
  capabilities: null,
  addedAt: '2026-01-01T00:00:00.000Z',
  revokedAt: null,
  lastSeenAt: null,
}
const heard: RegisteredWorker = {
  ...worker,
  name: 'two',
  capabilities: { architecture: '\u001b[2Jamd64', builders: [], isolation: 'shared-kernel' },
  revokedAt: '2026-02-01T12:34:56.789Z',
  lastSeenAt: '2026-01-31T23:59:59.000Z',
}

async function operated(args: readonly string[], own: Partial<Operator> = {}) {
  const asked: unknown[] = []
  const operator: Operator = {
    createToken: async (request: TokenRequest) => {
      asked.push(request)
      return { secret: SECRET, token }
    },
    tokens: async (cursor) => {
      asked.push(cursor)
      return cursor === null
        ? { items: [token], next: 'more' }
        : { items: [{ ...token, lastUsedAt: token.createdAt, revokedAt: token.expiresAt }], next: null }
    },
    revokeToken: async (id) => {
      asked.push(id)
      return { ...token, revokedAt: '2026-02-01T00:00:00.000Z' }
    },
    addWorker: async (request) => {
      asked.push(request)
      return worker
    },
    workers: async () => ({ items: [worker, heard], next: null }),
    revokeWorker: async (name) => {
      asked.push(name)
      return { ...worker, revokedAt: '2026-02-01T00:00:00.000Z' }
    },
    ...own,
  }
  let closed = 0
  const end = await ran(
    args,
    {},
    {
      operator: async () => ({ ...operator, [Symbol.asyncDispose]: async () => void (closed += 1) }),
      workerKey: async () => KEY,
    },
  )
  return { ...end, asked, closed }
}

describe('token create', () => {
  it('prints the token alone on stdout, and what it is on stderr', async () => {
    const { exit, stdout, stderr, asked, closed } = await operated(['token', 'create', 'ci of app'])
    expect([exit, stdout, closed]).toEqual([0, `${SECRET}\n`, 1])
    expect(stderr).toBe(
      `${ID}\n  ci of app, of acme, for submit and cancel; never used, until 2026-04-01 00:00Z\n  it shows this once: keep it where nobody else reads it\n`,
    )
    expect(asked).toEqual([{ name: 'ci of app', owner: 'operator', scopes: ['submit', 'cancel'], days: 90 }])
  })

  it('takes owner, scopes and days', async () => {
    const args = ['token', 'create', 'ci', '--owner', 'acme', '--scope', 'submit', '--scope', 'submit', '--days', '366', '--json']
    const { stdout, asked } = await operated(args)
    expect(asked).toEqual([{ name: 'ci', owner: 'acme', scopes: ['submit'], days: 366 }])
    expect(JSON.parse(stdout)).toEqual({ schema: 'bitwitness/token-created/v1', secret: SECRET, token })
  })

  it.each(['all', 'submit,cancel', 'Submit', ''])('says of the scope %j which there are, and how to give several', async (scope) => {
    const { exit, stderr, asked } = await operated(['token', 'create', 'ci', '--scope', scope])
    expect([exit, asked, stderr]).toEqual([
      2,
      [],
      expect.stringContaining('give submit, cancel, admit or deploy; for several, --scope again'),
    ])
  })

  it('shows that scopes can be several', async () => {
    expect((await operated(['token', 'create', '--help'])).stdout).toMatch(/\[--scope SCOPE\]\.\.\. .*submit, cancel, admit or deploy/)
  })

  it.each([
    [['token', 'create']],
    [['token', 'create', '']],
    [['token', 'create', ' ci']],
    [['token', 'create', 'ci\n']],
    [['token', 'create', 'x'.repeat(65)]],
    [['token', 'create', 'ci', '--days', '0']],
    [['token', 'create', 'ci', '--days', '367']],
    [['token', 'create', 'ci', '--days', '1.5']],
    [['token', 'create', 'ci', '--owner', '../else']],
    [['worker', 'add', 'one']],
    [['worker', 'add', 'one', 'MCow']],
    [['worker', 'add', 'one', KEY.replace('bs=', 'bt=')]],
    [['worker', 'add', '-', KEY]],
  ])('%j is a wrong command line, and opens nothing', async (args) => {
    const { exit, asked, stdout } = await operated(args)
    expect([exit, asked, stdout]).toEqual([2, [], ''])
  })
})

it('token list reads every page', async () => {
  const { exit, stdout, asked } = await operated(['token', 'list'])
  expect([exit, asked]).toEqual([0, [null, 'more']])
  expect(stdout).toBe(
    `${ID}\n  ci of app, of acme, for submit and cancel; never used, until 2026-04-01 00:00Z\n` +
      `${ID}\n  ci of app, of acme, for submit and cancel; used 2026-01-01 00:00Z, revoked 2026-04-01 00:00Z\n`,
  )
  expect(JSON.parse((await operated(['token', 'list', '--json'])).stdout)).toMatchObject({
    schema: 'bitwitness/token-list/v1',
    tokens: [token, { id: ID }],
  })
  expect((await operated(['token', 'list'], { tokens: async () => ({ items: [], next: null }) })).stdout).toBe('none yet\n')
})

it('token revoke and worker revoke name what ended', async () => {
  const revoked = await operated(['token', 'revoke', ID, '--json'])
  expect([revoked.exit, revoked.asked]).toEqual([0, [ID]])
  expect(JSON.parse(revoked.stdout)).toEqual({
    schema: 'bitwitness/token-revoked/v1',
    token: { ...token, revokedAt: '2026-02-01T00:00:00.000Z' },
  })
  const gone = await operated(['worker', 'revoke', 'one'])
  expect([gone.asked, gone.stdout]).toEqual([['one'], `one\n  remote; never seen, revoked 2026-02-01 00:00Z\n  ${KEY}\n`])
})

it('worker add, list and key show what a worker is', async () => {
  const added = await operated(['worker', 'add', 'one', KEY])
  expect([added.exit, added.asked]).toEqual([0, [{ name: 'one', publicKey: KEY }]])
  expect(added.stdout).toBe(`one\n  remote; never seen, added 2026-01-01 00:00Z\n  ${KEY}\n`)
  expect((await operated(['worker', 'list'])).stdout).toBe(
    `${added.stdout}two\n  remote, \\u{1b}[2Jamd64; seen 2026-01-31 23:59Z, revoked 2026-02-01 12:34Z\n  ${KEY}\n`,
  )
  expect(JSON.parse((await operated(['worker', 'list', '--json'])).stdout)).toEqual({
    schema: 'bitwitness/worker-list/v1',
    workers: [worker, heard],
  })
  const key = await operated(['worker', 'key'])
  expect([key.stdout, key.closed]).toEqual([`${KEY}\n`, 0])
  expect(JSON.parse((await operated(['worker', 'key', '--json'])).stdout)).toEqual({ schema: 'bitwitness/worker-key/v1', publicKey: KEY })
})

it('what was refused is said as any command says it, and what was opened is closed', async () => {
  const unknown = new Failure({ code: 'token-unknown', message: 'there is no such token', hint: 'look' })
  const { exit, stderr, closed } = await operated(['token', 'revoke', ID], { revokeToken: () => Promise.reject(unknown) })
  expect([exit, closed]).toEqual([2, 1])
  expect(stderr).toContain('(token-unknown)')
})
