import { chmod, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { POLICY } from '../src/app/gate/testing/passing.ts'
import { ServePlace } from './serve-process.ts'
import { databases } from './stores.ts'

const CLAIM = `sha256:${'ab'.repeat(32)}`
const GIT = 'https://git.example/app.git#v1'

describe.each(databases())('serve on %s', (kind) => {
  let place: ServePlace
  beforeEach(async () => {
    place = await ServePlace.make(kind)
  })
  afterEach(() => place[Symbol.asyncDispose]())

  it('runs with no configuration, says where and how it is to be used, and ends in order', async () => {
    await using service = await place.serve({ args: ['--no-worker'] })
    expect(service.facts).toMatchObject({
      schema: 'bitwitness/serving/v1',
      database: kind === 'pglite' ? 'embedded' : 'postgres',
      home: place.home,
      signer: { kind: 'key', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
      worker: null,
      noWorker: null,
    })
    expect((await service.get('healthz')).status).toBe(200)
    const ready = await service.get('readyz')
    expect([ready.status, JSON.parse(ready.body)]).toMatchObject([
      200,
      { ready: true, database: { ok: true }, queue: { ok: true }, blobs: { ok: true } },
    ])
    expect((await service.get('metrics')).body).toMatch(/^bitwitness_database_up 1$/m)
    expect((await service.get('nothing')).status).toBe(404)
    const end = await service.end()
    expect([end.code, end.signal]).toEqual([0, null])
    expect(service.log().map(({ msg }) => msg)).toEqual(expect.arrayContaining(['service started', 'service stopping', 'service stopped']))
  })

  it('takes what is submitted with a token of its own, and keeps it when it is killed', async () => {
    const first = await place.serve({ args: ['--no-worker'] })
    const token = await place.token()
    const submit = (url: URL) =>
      place.cli(['submit', GIT, '--claim', CLAIM, '--server', url.href, '--no-wait', '--json'], { BITWITNESS_TOKEN: token })
    const sent = await submit(first.url)
    expect(sent.code, sent.stderr).toBe(0)
    const { id } = (JSON.parse(sent.stdout) as { verification: { id: string } }).verification
    await first.end('SIGKILL')
    await using second = await place.serve({ args: ['--no-worker'] })
    expect((await second.get(`v1/verifications/${id}`)).status).toBe(200)
    expect(JSON.parse((await submit(second.url)).stdout)).toMatchObject({ joined: true, verification: { id } })
    const denied = await place.cli(['submit', GIT, '--claim', CLAIM, '--server', second.url.href], { BITWITNESS_TOKEN: 'bw_wrong' })
    expect([denied.code, denied.stderr]).toEqual([2, expect.stringContaining('(token-invalid)')])
    // What it logged names who and what by ids alone.
    const logged = `${first.process.stderr}${second.process.stderr}`
    expect(logged).toContain(id)
    for (const secret of [token, 'bw_wrong', 'ab'.repeat(32), 'git.example', 'operator']) expect(logged).not.toContain(secret)
  })

  it('says why nothing is built here where there is no engine, and goes on', async () => {
    await using service = await place.serve()
    expect(service.facts).toMatchObject({ worker: null, noWorker: { code: 'engine-unreachable' } })
    expect((await service.get('readyz')).status).toBe(200)
    expect((await service.end()).code).toBe(0)
  })

  it('says which policies and targets it has, and which of them cannot be followed', async () => {
    await mkdir(path.join(place.home, 'policies'), { recursive: true, mode: 0o700 })
    await chmod(place.home, 0o700)
    const file = (name: string): string => path.join(place.home, name)
    await writeFile(file('policies/broken.yaml'), 'mode: enforced\n')
    await writeFile(file('policies/production.yaml'), stringify(POLICY))
    const target = { name: 'rack', kind: 'dstack-vmm', address: 'unix:/run/vmm.sock', osImages: { image: 'ab'.repeat(32) } }
    await writeFile(file('targets.yaml'), stringify({ targets: [{ ...target, owners: ['local:*'], policies: ['production', 'canary'] }] }))
    const environment = { BITWITNESS_POLICIES: file('policies'), BITWITNESS_TARGETS: file('targets.yaml') }
    await using service = await place.serve({ args: ['--no-worker'], environment })
    expect([service.facts.policies, service.facts.targets]).toEqual([
      [
        { name: 'broken', followed: false },
        { name: 'production', followed: true },
      ],
      [{ name: 'rack', kind: 'dstack-vmm', policies: ['production', 'canary'] }],
    ])
  })

  it('does not start with a folder of policies that is not there', async () => {
    const none = await place.cli(['serve', '--no-worker'], { BITWITNESS_POLICIES: path.join(place.home, 'none') })
    expect([none.code, none.stdout, none.stderr]).toEqual([2, '', expect.stringContaining('(policies-unreadable)')])
  })

  it('says what is in the way', async () => {
    await using service = await place.serve({ args: ['--no-worker'] })
    const listen = service.url.host
    const other = await place.cli(['serve', '--no-worker'], { BITWITNESS_LISTEN: listen })
    const code = kind === 'pglite' ? 'home-in-use' : 'listen-in-use'
    expect([other.code, other.stderr]).toEqual([3, expect.stringContaining(`(${code})`)])
  })
})

describe.each(databases().filter((kind) => kind === 'postgres'))('several coordinators on %s', (kind) => {
  it('are one service: what one accepted another prepares and shows', async () => {
    await using place = await ServePlace.make(kind)
    await using first = await place.serve({ args: ['--no-worker'] })
    await using second = await place.beside('second').serve({ args: ['--no-worker'] })
    const source = path.join(import.meta.dirname, '..', 'mkosi/corpus/cases/tar-minimal/recipe')
    const token = await place.token()
    const words = ['submit', source, '--claim', CLAIM, '--no-wait', '--json', '--server', first.url.href]
    const sent = await place.cli(words, { BITWITNESS_TOKEN: token })
    expect(sent.code, sent.stderr).toBe(0)
    const { id } = (JSON.parse(sent.stdout) as { verification: { id: string } }).verification
    await first.end('SIGKILL')
    // Whoever had begun it: now the other has it, at the latest when the first is missed.
    const events = await fetch(new URL(`v1/verifications/${id}/events`, second.url))
    let heard = ''
    for await (const part of events.body ?? []) {
      heard += Buffer.from(part as Uint8Array).toString('utf8')
      if (/event: stage-ended\ndata: .*"stage":"recipe"/.test(heard)) break
    }
    const { body } = await second.get(`v1/verifications/${id}`)
    expect(JSON.parse(body)).toMatchObject({ id, state: 'running', pinned: { kind: 'archive', name: 'recipe.tar' } })
  })
})
