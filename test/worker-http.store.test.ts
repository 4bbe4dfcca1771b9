import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { reportDocument } from '../src/app/service/report-document.ts'
import type { WorkerJob } from '../src/app/service/worker-protocol.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { handOver } from '../src/worker/hand-over.ts'
import { runWorker } from '../src/worker/worker.ts'
import type { WorkerNews } from '../src/worker/worker-news.ts'
import { signRequest } from '../src/worker-auth/sign-request.ts'
import type { WorkerKey } from '../src/worker-auth/worker-key.ts'
import { digestOf } from '../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { hurry, loseWorkers } from './queued.ts'
import { root } from './repository.ts'
import { standInBuilder } from './stand-in-builder.ts'
import { databases } from './stores.ts'
import { WorkerRoom } from './worker-room.ts'
import { type KnownWorker, WorkerServer } from './worker-server.ts'

const CLAIM = {
  schema: 'bitwitness/worker-claim/v1',
  capabilities: { architecture: 'amd64', builders: [], isolation: 'shared-kernel' },
} as const
const never = new AbortController().signal

describe.each(databases())('workers over HTTP, on %s', (kind) => {
  let room: WorkerRoom
  let server: WorkerServer
  const ended: (() => Promise<void>)[] = []

  beforeAll(async () => {
    room = await WorkerRoom.open(kind, { blobBytes: 8 << 20, leaseBytes: 64 << 20 })
    server = await WorkerServer.open(room)
  })
  afterEach(async () => {
    for (const end of ended.splice(0)) await end()
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await room[Symbol.asyncDispose]()
  })

  let made = 0
  const folderOf = async (name: string) => {
    made += 1
    const work = await room.makeFolder(`${name}-${made}/work`)
    return { work, blobs: await openBlobFolder(path.join(path.dirname(work), 'blobs')) }
  }

  /** A worker of this process, which ends with the test. */
  const startWorker = async (known: KnownWorker, o: { onBegin?: (job: WorkerJob) => void } = {}) => {
    const { work, blobs } = await folderOf('home')
    const news: WorkerNews[] = []
    const stop = new AbortController()
    const done = runWorker({
      coordinator: known.coordinator,
      blobs,
      runJob: standInBuilder({ blobs, work, ...o }),
      capabilities: async () => ({ architecture: 'amd64', builders: [], isolation: 'shared-kernel' }),
      slots: 2,
      obstacle: async () => null,
      version: '0.0.0',
      timing: { waitSeconds: 5, heartbeatMs: 200, patience: { firstMs: 10, mostMs: 100 } },
      tell: (one) => void (one.kind === 'event' ? undefined : news.push(one)),
      signal: stop.signal,
    })
    const end = async (): Promise<void> => {
      stop.abort()
      await done.catch(() => {})
    }
    ended.push(end)
    return { news, end, done, work }
  }

  const attemptsOf = (id: string) => room.store.reads.attempts.of(id)
  const committed = async (id: string, wanted: number): Promise<void> => {
    await vi.waitFor(
      async () => {
        const states = (await attemptsOf(id)).map(({ life }) => (life.state === 'committed' ? life.outcome : life.state))
        expect(states).toEqual(Array.from({ length: wanted }, () => 'built'))
      },
      { timeout: 60_000, interval: 50 },
    )
  }

  it('build what is submitted, side by side, each replay as the first', async () => {
    const one = await startWorker(await server.addWorker('one'))
    const two = await startWorker(await server.addWorker('two'))
    const ids: string[] = []
    for (let at = 1; at <= 4; at += 1) ids.push(await room.submit({ app: `number ${at}`, 'stand-in.json': '{"waitMs": 50}' }))
    for (const id of ids) await committed(id, 2)
    for (const id of ids) {
      const reports = (await attemptsOf(id)).map(({ report }) => report)
      expect(reports[0]?.artifacts).toEqual(reports[1]?.artifacts)
      expect(reports[1]?.lock).toBe(reports[0]?.lock)
      const events = await room.store.reads.events.after(id, 0, 100)
      expect(events.filter((event) => event.kind === 'log' && event.line.startsWith('building '))).toHaveLength(2)
    }
    await one.end()
    await two.end()
    expect([one, two].flatMap(({ news }) => news.filter(({ kind: what }) => what === 'reported'))).toHaveLength(8)
    // Nothing of what ran is left.
    expect([await readdir(one.work), await readdir(two.work)]).toEqual([[], []])
    expect(server.seen.troubles).toEqual([])
  })

  it('go on with what they do while the coordinator is gone, and report it when it is back', async () => {
    const begun = Promise.withResolvers<void>()
    const { news } = await startWorker(await server.addWorker('patient'), { onBegin: () => begun.resolve() })
    const id = await room.submit({ app: 'outage', 'stand-in.json': '{"waitMs": 400}' }, { submission: { attempts: 1 } })
    await begun.promise
    await server.stop()
    await vi.waitFor(() => expect(news.some(({ kind: what }) => what === 'holding')).toBe(true), { timeout: 20_000 })
    // Long enough for the build to end meanwhile.
    await new Promise((later) => setTimeout(later, 600))
    expect((await attemptsOf(id))[0]?.life.state).toBe('leased')
    await server.startAgain()
    await committed(id, 1)
    expect(await room.store.reads.attempts.tries((await attemptsOf(id))[0]?.id ?? '')).toMatchObject([{ ending: 'committed' }])
  })

  it('are not given what they no longer wait for', async () => {
    const [gone, stays] = [await server.addWorker('gone'), await server.addWorker('stays')]
    const leaving = new AbortController()
    const claim = { ...CLAIM, capabilities: { ...CLAIM.capabilities, builders: [] }, waitSeconds: 30 }
    const left = gone.coordinator.claim(claim, leaving.signal).catch((error: unknown) => error)
    // It is in line by now.
    await vi.waitFor(async () => expect((await room.store.reads.workers.withKey(gone.key.publicKey))?.lastSeenAt).not.toBeNull())
    const staying = stays.coordinator.claim(claim, never)
    leaving.abort(new Error('gone'))
    expect(await left).toEqual(new Error('gone'))
    const id = await room.submit({ app: 'for who stays' }, { submission: { attempts: 1 } })
    expect((await staying)?.attempt.verificationId).toBe(id)
    expect((await attemptsOf(id))[0]?.life).toMatchObject({ state: 'leased', tries: 1 })
  })

  describe('in processes of their own', () => {
    class Child {
      readonly process: ChildProcess
      said = ''
      trouble = ''
      readonly closed: Promise<unknown>

      constructor(args: readonly string[]) {
        this.process = spawn(process.execPath, [path.join(root, 'test/worker-child.ts'), server.url.href, ...args], {
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
          this.said += text
        })
        this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
          this.trouble += text
        })
        this.closed = once(this.process, 'close')
        ended.push(async () => {
          this.process.kill('SIGKILL')
          await this.closed
        })
      }

      async says(kindOf: string): Promise<void> {
        await vi.waitFor(
          () => {
            if (!this.said.includes(`"kind":"${kindOf}"`)) throw new Error(`${kindOf} is not in ${this.said}${this.trouble}`)
          },
          { timeout: 30_000, interval: 20 },
        )
      }
    }

    const child = async (known: KnownWorker, o: { home?: string; drainMs?: number } = {}): Promise<Child & { home: string }> => {
      made += 1
      const home = o.home ?? (await room.makeFolder(`child-${made}`))
      const key = path.join(room.folder, `key-${made}.pem`)
      await writeFile(key, known.pem, { mode: 0o600 })
      return Object.assign(new Child([home, key, String(o.drainMs ?? 600_000)]), { home })
    }

    it('lose an attempt with their life, and another worker brings it to its end', async () => {
      const id = await room.submit({ app: 'killed', 'stand-in.json': '{"waitMs": 1500}' }, { submission: { attempts: 1 } })
      const known = await server.addWorker('to be killed')
      const first = await child(known)
      await first.says('begun')
      // It is in the midst of the build.
      await vi.waitFor(async () => expect((await room.store.reads.events.after(id, 0, 10)).length).toBeGreaterThan(0), { timeout: 20_000 })
      first.process.kill('SIGKILL')
      await first.closed
      await loseWorkers(room.store)
      await hurry(room.store)
      await startWorker(await server.addWorker('survivor'))
      await committed(id, 1)
      const [attempt] = await attemptsOf(id)
      expect(
        (await room.store.reads.attempts.tries(attempt?.id ?? '')).map(({ ending, worker }) => [ending, worker === known.worker.id]),
      ).toEqual([
        ['lease-lost', true],
        ['committed', false],
      ])
      // What it left is swept when it starts again.
      expect(await readdir(path.join(first.home, 'work'))).toHaveLength(1)
      const again = await child(known, { home: first.home })
      await again.says('up')
      expect(again.said).toContain('"swept":1')
      expect(await readdir(path.join(first.home, 'work'))).toEqual([])
    })

    it('finish what they have when they are to end', async () => {
      const id = await room.submit({ app: 'drained', 'stand-in.json': '{"waitMs": 700}' }, { submission: { attempts: 1 } })
      const draining = await child(await server.addWorker('draining'))
      await draining.says('begun')
      draining.process.kill('SIGTERM')
      await draining.closed
      expect([draining.process.exitCode, draining.trouble]).toEqual([0, ''])
      await committed(id, 1)
    })

    it('give up what takes too long then, so that somebody else has it at once', async () => {
      const id = await room.submit({ app: 'given up', 'stand-in.json': '{"waitMs": 60000}' }, { submission: { attempts: 1 } })
      const known = await server.addWorker('impatient')
      const impatient = await child(known, { drainMs: 100 })
      await impatient.says('begun')
      impatient.process.kill('SIGTERM')
      await impatient.closed
      expect([impatient.process.exitCode, impatient.trouble]).toEqual([0, ''])
      const [attempt] = await attemptsOf(id)
      expect(attempt?.life).toEqual({ state: 'queued', tries: 1 })
      const next = await server.addWorker('next one')
      const job = await next.coordinator.claim({ ...CLAIM, capabilities: { ...CLAIM.capabilities, builders: [] }, waitSeconds: 0 }, never)
      expect(job?.attempt.id).toBe(attempt?.id)
    })
  })

  describe('that lie', () => {
    const json = (document: object): string => JSON.stringify(document)
    type Raw = { readonly method?: string; readonly target: string; readonly body?: string; readonly fields?: Record<string, string> }

    const signedFields = (key: WorkerKey, { method = 'POST', target, body }: Raw): Record<string, string> => ({
      ...signRequest(
        { method, target, body: body === undefined ? null : { contentType: 'application/json', sha256: digestOf(body) } },
        { key, now: new Date(), nonce: crypto.getRandomValues(new Uint8Array(16)) },
      ),
    })
    const send = async ({ method = 'POST', target, body, fields = {} }: Raw): Promise<string> => {
      const response = await fetch(new URL(target, server.url), { method, headers: fields, ...(body === undefined ? {} : { body }) })
      const text = await response.text()
      return `${response.status} ${text === '' ? '' : ((JSON.parse(text) as { code?: string }).code ?? 'taken')}`
    }
    const sendAs = (known: KnownWorker, raw: Raw): Promise<string> => send({ ...raw, fields: signedFields(known.key, raw) })
    const claimed = async (known: KnownWorker): Promise<WorkerJob> => {
      const job = await known.coordinator.claim({ ...CLAIM, capabilities: { ...CLAIM.capabilities, builders: [] }, waitSeconds: 5 }, never)
      if (job === undefined) throw new Error('nothing to do')
      return job
    }
    const prepared = async (known: KnownWorker, job: WorkerJob) => {
      const { work, blobs } = await folderOf('liar')
      const run = await standInBuilder({ blobs, work })(job, { coordinator: known.coordinator, emit: () => {}, signal: never })
      ended.push(() => Promise.resolve(run[Symbol.asyncDispose]()))
      await handOver({ coordinator: known.coordinator, blobs, job, run, signal: never })
      return { run, document: reportDocument(job, run, '0.0.0') }
    }
    let [honest, liar]: (KnownWorker | undefined)[] = []
    const workers = async (): Promise<{ honest: KnownWorker; liar: KnownWorker }> => {
      honest ??= await server.addWorker('honest')
      liar ??= await server.addWorker('liar')
      return { honest, liar }
    }

    it('about who they are get one answer, whatever is wrong', async () => {
      const known = await server.addWorker('revoked')
      const stranger = { ...known, key: (await server.addWorker('stranger')).key }
      await room.ports.unitOfWork.run(async ({ workers: all }) => {
        await all.revoke('revoked', new Date())
        await all.revoke('stranger', new Date())
      })
      const target = '/v1/worker/claim'
      const body = json({ ...CLAIM, waitSeconds: 0 })
      expect(await send({ target, body })).toBe('401 worker-signature-missing')
      for (const one of [known, stranger]) expect(await sendAs(one, { target, body })).toBe('401 worker-signature-invalid')
      const forged = {
        ...signedFields(known.key, { target, body }),
        signature: signedFields(stranger.key, { target, body })['signature'] ?? '',
      }
      expect(await send({ target, body, fields: forged })).toBe('401 worker-signature-invalid')
    })

    it('by sending again what was sent, or other bytes than were signed, are not taken', async () => {
      const { liar: known } = await workers()
      const target = '/v1/worker/claim'
      const body = json({ ...CLAIM, waitSeconds: 0 })
      const fields = signedFields(known.key, { target, body })
      expect(await send({ target, body, fields })).toBe('204 ')
      expect(await send({ target, body, fields })).toBe('401 worker-signature-replayed')
      const other = signedFields(known.key, { target, body })
      expect(await send({ target, body: body.replace('amd64', 'arm64'), fields: other })).toBe('400 content-digest-differs')
      const elsewhere = signedFields(known.key, { target, body })
      expect(await send({ target: `${target}?x=1`, body, fields: elsewhere })).toBe('401 worker-signature-invalid')
    })

    it('about their version are told so', async () => {
      const { liar: known } = await workers()
      const body = json({ ...CLAIM, schema: 'bitwitness/worker-claim/v0', waitSeconds: 0 })
      expect(await sendAs(known, { target: '/v1/worker/claim', body })).toBe('400 worker-outdated')
      expect(await sendAs(known, { target: '/v1/worker/claim', body: json({ ...CLAIM, waitSeconds: 3600 }) })).toBe(
        '400 worker-message-malformed',
      )
      expect(await sendAs(known, { target: '/v1/worker/claim', body: '{"schema":1,"schema":2}' })).toBe('400 json-duplicate-key')
      expect(await sendAs(known, { target: '/v1/worker/claim', body: ' '.repeat((8 << 20) + 1) })).toBe('413 body-too-large')
      expect(await sendAs(known, { target: '/v1/worker/nothing', body })).toBe('404 route-unknown')
    })

    it('for another’s job, or about their own, are refused, and the attempt stays as it was', async () => {
      const { honest: one, liar: two } = await workers()
      const id = await room.submit({ app: 'reported by others' }, { submission: { attempts: 1 } })
      const job = await claimed(one)
      expect(job.attempt.verificationId).toBe(id)
      const { document } = await prepared(one, job)
      const target = `/v1/worker/attempts/${job.attempt.id}/report`
      expect(await sendAs(two, { target, body: document })).toBe('409 lease-not-yours')
      expect(await sendAs(two, { target, body: document.replaceAll(job.lease, crypto.randomUUID()) })).toBe('409 lease-not-yours')
      const beat = json({ schema: 'bitwitness/worker-heartbeat/v1', lease: job.lease })
      expect(await sendAs(two, { target: `/v1/worker/attempts/${job.attempt.id}/heartbeat`, body: beat })).toBe('409 lease-not-yours')
      const question = json({ schema: 'bitwitness/worker-blobs/v1', lease: job.lease, digests: [digestOf('x')] })
      expect(await sendAs(two, { target: `/v1/worker/attempts/${job.attempt.id}/blobs`, body: question })).toBe('409 lease-not-yours')
      for (const nowhere of ['none', crypto.randomUUID()])
        expect(await sendAs(one, { target: `/v1/worker/attempts/${nowhere}/report`, body: document })).toBe('404 attempt-unknown')
      expect(await sendAs(one, { target, body: document.replace('"number": 1', '"number": 2') })).toBe('422 report-of-another-job')
      expect((await attemptsOf(id))[0]?.life.state).toBe('leased')
      // The same report under the same lease, sent twice, is one report.
      expect([await sendAs(one, { target, body: document }), await sendAs(one, { target, body: document })]).toEqual([
        '200 taken',
        '200 taken',
      ])
      expect(await sendAs(one, { target, body: document.replace('"cpuMs": 1', '"cpuMs": 2') })).toBe('409 attempt-committed')
      expect((await attemptsOf(id))[0]?.report?.usage?.cpuMs).toBe(1)
    })

    it('about blobs, or give too much, get none of it kept', async () => {
      const { liar: known } = await workers()
      await room.submit({ app: 'blobs' }, { submission: { attempts: 1 } })
      const job = await claimed(known)
      const put = (bytes: Buffer, sha256: Sha256 = digestOf(bytes)) =>
        known.coordinator
          .give({
            attemptId: job.attempt.id,
            lease: job.lease,
            sha256,
            size: bytes.length,
            signal: never,
            bytes: async function* () {
              yield bytes
            },
          })
          .then(
            () => 'taken',
            (error: { code?: string }) => error.code,
          )
      expect(await put(Buffer.from('a log'))).toBe('taken')
      expect(await put(Buffer.from('a log'), digestOf('another'))).toBe('blob-differs')
      // Where the sender is cut off in the midst, it cannot always hear why.
      expect(['blob-too-large', 'coordinator-unreachable']).toContain(await put(Buffer.alloc(9 << 20)))
      const signedForOther = signedFields(known.key, {
        method: 'PUT',
        target: `/v1/worker/attempts/${job.attempt.id}/blobs/${digestOf('b')}?lease=${job.lease}`,
        body: 'a',
      })
      expect(
        await send({
          method: 'PUT',
          target: `/v1/worker/attempts/${job.attempt.id}/blobs/${digestOf('b')}?lease=${job.lease}`,
          body: 'a',
          fields: signedForOther,
        }),
      ).toBe('422 blob-differs')
      const kept = await room.store.reads.blobs.known([
        digestOf('a log'),
        digestOf('another'),
        digestOf('b'),
        digestOf(Buffer.alloc(9 << 20)),
      ])
      expect(kept).toEqual(new Set([digestOf('a log')]))
      expect(await readdir(path.join(room.folder, 'blobs', 'tmp'))).toEqual([])
    })

    it('that want to know the claim find it nowhere, in no byte of any answer', async () => {
      const { honest: one, liar: two } = await workers()
      const claimedBytes = digestOf(`claimed ${kind}`)
      const location = `https://files.example/${'secret'.repeat(3)}.tar`
      server.seen.answers.length = 0
      await room.submit(
        { app: 'claimed' },
        {
          submission: {
            attempts: 2,
            claims: [{ kind: 'file', name: 'image.tar', sha256: claimedBytes, location }],
            callbackUrl: 'https://callback.example/',
          },
        },
      )
      const job = await claimed(two)
      const { run, document } = await prepared(two, job)
      const asked = [
        job.source.tar,
        job.attempt.verificationId,
        run.attempt.lock,
        run.attempt.log,
        run.attempt.artifacts[0]?.sha256,
        digestOf(''),
      ]
      for (const sha256 of asked) await sendAs(two, { method: 'GET', target: `/v1/worker/blobs/${sha256}` }).catch(() => 'bytes')
      await sendAs(two, { target: `/v1/worker/attempts/${job.attempt.id}/report`, body: document })
      const replay = await claimed(one)
      expect(replay.attempt.verificationId).toBe(job.attempt.verificationId)
      for (const raw of [`/v1/worker/attempts/${job.attempt.id}`, `/v1/worker/verifications/${job.attempt.verificationId}`, '/v1/worker/'])
        await sendAs(two, { method: 'GET', target: raw })
      // What is public is not told more by being a worker.
      await send({ method: 'GET', target: `/v1/verifications/${job.attempt.verificationId}` })
      await send({ method: 'GET', target: `/v1/attempts/${job.attempt.id}` })
      const answers = await Promise.all(server.seen.answers)
      expect(answers.length).toBeGreaterThan(12)
      expect(answers.some((text) => text.includes(job.source.tar))).toBe(true)
      for (const secret of [
        claimedBytes,
        Buffer.from(claimedBytes, 'hex').toString('latin1'),
        Buffer.from(claimedBytes, 'hex').toString('base64'),
        location,
        'callback.example',
      ])
        expect(answers.filter((text) => text.includes(secret))).toEqual([])
      // By its digest it is answered as what nobody ever named.
      expect(await sendAs(two, { method: 'GET', target: `/v1/worker/blobs/${claimedBytes}` })).toBe('404 blob-missing')
      expect(await sendAs(two, { method: 'GET', target: `/v1/worker/blobs/${digestOf('never named')}` })).toBe('404 blob-missing')
    })
  })
})
