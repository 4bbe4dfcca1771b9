import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { authenticator } from '../src/app/service/authenticate.ts'
import type { Identity } from '../src/app/service/identity.ts'
import { operatorOn } from '../src/app/service/operate.ts'
import type { Operator } from '../src/app/service/operator.ts'
import { type TokenRequest } from '../src/app/service/operator-documents.ts'
import { parseWorkerPublicKey } from '../src/app/service/worker-public-key.ts'
import { StoreRoom } from '../src/store-room.ts'
import { Clock, newId, portsOf } from './stored.ts'
import { databases, type EmptyDatabase, emptyDatabase, onTrouble } from './stores.ts'

const wanted: TokenRequest = { name: 'ci', owner: 'acme', scopes: ['submit', 'cancel'], days: 90 }
const MINUTE = 60_000
const DAY = 1440 * MINUTE

describe.each(databases())('credentials on %s', (kind) => {
  const clock = new Clock()
  let place: EmptyDatabase
  let store: StoreRoom
  let operator: Operator
  let identity: Identity | undefined

  beforeAll(async () => {
    place = await emptyDatabase(kind)
    store = await StoreRoom.open({ ...place, superviseSeconds: null, onTrouble })
    operator = operatorOn({ ...portsOf(store, clock), reads: store.reads, random: (bytes) => randomBytes(bytes) })
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  const authenticate = (header: string | null) =>
    authenticator({ ...portsOf(store, clock), reads: store.reads, identify: async () => identity })(header)
  const refusal = async (header: string | null): Promise<{ code: string; message: string; hint: string }> => {
    const error: unknown = await authenticate(header).then(
      () => ({ code: 'taken' }),
      (thrown: unknown) => thrown,
    )
    const { code, message, hint } = error as { code: string; message: string; hint: string }
    return { code, message, hint }
  }
  const lastUse = async (id: string): Promise<string | null | undefined> =>
    (await operator.tokens(null)).items.find((token) => token.id === id)?.lastUsedAt

  it('of an API token stand for its owner, by what it is good for', async () => {
    const { secret, token } = await operator.createToken({ ...wanted, scopes: ['submit', 'submit'] })
    expect(secret).toMatch(/^bw_[\w-]{43}$/)
    expect(token).toEqual({
      id: token.id,
      name: 'ci',
      owner: { id: token.owner.id, name: 'acme' },
      scopes: ['submit'],
      createdAt: clock.now().toISOString(),
      expiresAt: new Date(clock.now().getTime() + 90 * DAY).toISOString(),
      revokedAt: null,
      lastUsedAt: null,
    })
    const caller = await authenticate(`Bearer ${secret}`)
    expect(caller).toMatchObject({ owner: { id: token.owner.id, kind: 'local' }, scopes: ['submit'], repositories: null, trusted: true })
    const again = await operator.createToken(wanted)
    expect([again.token.owner, again.secret === secret]).toEqual([token.owner, false])
  })

  it('are stored as a digest alone', async () => {
    const { secret } = await operator.createToken(wanted)
    const rows = await store.database.drizzle.execute(sql`select to_jsonb(tokens) as token from tokens`)
    expect(JSON.stringify(rows)).not.toContain(secret.slice(3))
  })

  it('get one answer for whatever does not count', async () => {
    const ended = await operator.createToken({ ...wanted, days: 1 })
    const revoked = await operator.createToken(wanted)
    await operator.revokeToken(revoked.token.id)
    const good = await operator.createToken(wanted)
    clock.pass(DAY)
    const answers = await Promise.all(
      [
        `Bearer ${ended.secret}`,
        `Bearer ${revoked.secret}`,
        `Bearer bw_${'A'.repeat(43)}`,
        `Bearer ${good.secret}A`,
        `Bearer ${good.secret.slice(0, -1)}`,
        `Bearer  ${good.secret}`,
        `Basic ${good.secret}`,
        good.secret,
        '',
        'Bearer ',
        'Bearer e30.e30.',
        'Bearer e30.e30.e30',
        `Bearer ${'A'.repeat(20_000)}`,
      ].map(refusal),
    )
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]?.code).toBe('token-invalid')
    expect((await refusal(null)).code).toBe('credentials-missing')
    expect((await refusal(`bearer ${good.secret}`)).code).toBe('taken')
  })

  it('end at the end of their time, not after it', async () => {
    const { secret } = await operator.createToken({ ...wanted, days: 1 })
    clock.pass(DAY - 1)
    expect((await refusal(`Bearer ${secret}`)).code).toBe('taken')
    clock.pass(1)
    expect((await refusal(`Bearer ${secret}`)).code).toBe('token-invalid')
  })

  it('are noted as used once a minute, and otherwise read alone', async () => {
    const { secret, token } = await operator.createToken(wanted)
    const first = clock.now()
    const runs: string[] = []
    const counting = authenticator({
      ...portsOf(store, clock),
      unitOfWork: {
        run: (work) => {
          runs.push(clock.now().toISOString())
          return store.unitOfWork.run(work)
        },
      },
      reads: store.reads,
      identify: async () => identity,
    })
    await counting(`Bearer ${secret}`)
    expect(await lastUse(token.id)).toBe(first.toISOString())
    clock.pass(MINUTE)
    await counting(`Bearer ${secret}`)
    expect([await lastUse(token.id), runs.length]).toEqual([first.toISOString(), 1])
    const later = clock.pass(1)
    await Promise.all([counting(`Bearer ${secret}`), counting(`Bearer ${secret}`)])
    expect(await lastUse(token.id)).toBe(later.toISOString())
    await counting(`Bearer ${secret}`)
    expect(runs.length).toBeLessThanOrEqual(3)
  })

  it('of a CI job stand for its repository, whatever that is called by now', async () => {
    identity = {
      issuer: 'https://token.example',
      subject: '42',
      name: 'acme/app',
      repositories: ['https://git.example/acme/app'],
      trusted: false,
    }
    const header = 'Bearer e30.e30.e30'
    const first = await authenticate(header)
    expect(first).toMatchObject({
      owner: { kind: 'oidc', issuer: 'https://token.example', subject: '42', name: 'acme/app' },
      scopes: ['submit', 'cancel', 'admit', 'deploy'],
      repositories: ['https://git.example/acme/app'],
      trusted: false,
    })
    expect((await authenticate(header)).owner).toEqual(first.owner)
    identity = { ...identity, name: 'acme/renamed' }
    expect((await authenticate(header)).owner).toEqual({ ...first.owner, name: 'acme/renamed' })
    // Another repository that came to have the old name.
    identity = { ...identity, subject: '43', name: 'acme/app' }
    expect((await authenticate(header)).owner.id).not.toBe(first.owner.id)
    identity = undefined
    expect((await refusal(header)).code).toBe('token-invalid')
  })

  it('are listed newest first over any number of pages, and revoked once', async () => {
    const { token } = await operator.createToken(wanted)
    const at = clock.pass(MINUTE).toISOString()
    expect(await operator.revokeToken(token.id)).toEqual({ ...token, revokedAt: at })
    clock.pass(MINUTE)
    expect(await operator.revokeToken(token.id)).toEqual({ ...token, revokedAt: at })
    await expect(operator.revokeToken(newId())).rejects.toMatchObject({ code: 'token-unknown' })
    for (let made = 0; made < 201; made += 1) await operator.createToken({ ...wanted, name: `many ${made}` })
    const page = await operator.tokens(null)
    const rest = await operator.tokens(page.next)
    expect([page.items.length, page.items[0]?.name, rest.next]).toEqual([200, 'many 200', null])
    expect(rest.items.map(({ id }) => id)).toContain(token.id)
  })

  it('of workers are keys, of which each has a name of its own', async () => {
    const keyOf = () =>
      parseWorkerPublicKey(generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).toString('base64'))
    const [one, two] = [keyOf(), keyOf()]
    const worker = await operator.addWorker({ name: 'one', publicKey: one })
    expect(worker).toMatchObject({ name: 'one', place: 'remote', publicKey: one, capabilities: null, revokedAt: null })
    for (const taken of [
      { name: 'one', publicKey: two },
      { name: 'two', publicKey: one },
    ])
      await expect(operator.addWorker(taken)).rejects.toMatchObject({ code: 'worker-exists' })
    expect(await store.reads.workers.withKey(one)).toMatchObject({ id: worker.id })
    const at = clock.pass(MINUTE).toISOString()
    expect(await operator.revokeWorker('one')).toEqual({ ...worker, revokedAt: at })
    clock.pass(MINUTE)
    expect(await operator.revokeWorker('one')).toEqual({ ...worker, revokedAt: at })
    expect(await store.reads.workers.withKey(one)).toBeUndefined()
    await expect(operator.revokeWorker('two')).rejects.toMatchObject({ code: 'worker-unknown' })
    expect((await operator.workers(null)).items).toEqual([{ ...worker, revokedAt: at }])
  })
})
