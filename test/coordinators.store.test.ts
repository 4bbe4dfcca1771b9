import { generateKeyPairSync } from 'node:crypto'
import path from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keySigner } from '../attestations/sign/key-signer.ts'
import { acceptVerification } from '../src/app/service/accept-verification.ts'
import { CallbackBody } from '../src/app/service/api-documents.ts'
import { callbackWork } from '../src/app/service/callback.ts'
import { decisionWork } from '../src/app/service/decision.ts'
import { JOB_TIMING, type JobTrades, runJobs } from '../src/app/service/job-runner.ts'
import { preparationWork } from '../src/app/service/preparation.ts'
import { signingWork } from '../src/app/service/signing.ts'
import { webhookSecret } from '../src/app/service/webhook-signature.ts'
import type { Submission, Verification } from '../src/app/store/records.ts'
import { postCallback } from '../src/notify/post-callback.ts'
import { certificateOf, receive, type WebhookReceiver } from '../src/notify/testing/webhook-receiver.ts'
import { type LocalBlobs, openBlobFolder } from '../src/storage/blob-folder.ts'
import { makeScratch } from '../src/storage/scratch.ts'
import { oneChunk } from '../verifier/bytes/one-chunk.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { VerificationReport } from '../verifier/model/report.ts'
import { pinSource } from '../verifier/source/pin-source.ts'
import { OWN_ACCESS } from '../verifier/source/source-ref.ts'
import { tar } from '../verifier/source/testing/tar.ts'
import { BuildingWorker } from './built-by-workers.ts'
import { IDLE_TRADES } from './noting-runner.ts'
import { commandOf, digestOf, submissionOf } from './stored.ts'
import { databases } from './stores.ts'
import { RECIPE, WorkerRoom } from './worker-room.ts'

const ROOT = new Uint8Array(32).fill(9)

/** All that two coordinators do from a submission to who is told, with real archives, blobs, a key and TLS; only builds are stand-ins. */
describe.each(databases())('two coordinators on %s', (kind) => {
  let room: WorkerRoom
  let blobs: LocalBlobs
  let receiver: WebhookReceiver
  let trades: JobTrades
  const stop = new AbortController()
  let running: Promise<unknown>
  const troubles: unknown[] = []

  beforeAll(async () => {
    room = await WorkerRoom.open(kind)
    blobs = await openBlobFolder(path.join(room.folder, 'blobs'))
    const work = await room.makeFolder('work')
    const certificate = await certificateOf()
    receiver = await receive(certificate)
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const signer = keySigner({ privateKeyPem, tsa: null, trusted: null })
    const rules = {
      timeoutMs: 10_000,
      userAgent: 'bitwitness/1.2.3',
      mayConnect: (address: string) => address === '127.0.0.1',
      resolve: (_name: string, _options: object, callback: (error: null, found: { address: string; family: number }[]) => void) =>
        callback(null, [{ address: '127.0.0.1', family: 4 }]),
      authorities: certificate.cert,
    }
    const ports = { ...room.ports, reads: room.store.reads, blobs, version: '1.2.3', scratch: () => makeScratch(work) }
    trades = {
      ...IDLE_TRADES,
      preparation: {
        atOnce: 2,
        work: preparationWork({
          ...ports,
          pin: (source, scratch, signal) => pinSource(source, { scratch, signal, access: OWN_ACCESS }),
          reader: { architecture: 'amd64', mkosi: '25.3' },
          isOfToday: async () => true,
        }),
      },
      summary: IDLE_TRADES.summary,
      decision: {
        atOnce: 2,
        work: decisionWork({
          ...ports,
          outputBytes: 1 << 20,
          fileOf: (sha256, signal) => blobs.fileOf(sha256, signal),
          fetchClaimed: () => Promise.reject(new Error('nobody says where')),
        }),
      },
      signing: {
        atOnce: 2,
        work: signingWork({ ...ports, operator: null, signer: async () => ({ signer, builderBase: 'https://b.example' }) }),
      },
      callback: {
        atOnce: 2,
        work: callbackWork({
          ...ports,
          secret: async (ownerId) => webhookSecret(ROOT, ownerId),
          links: ({ id, report }) => ({ self: `/v1/verifications/${id}`, report: report === null ? null : `/v1/blobs/${report}` }),
          post: (callback, signal) => postCallback(callback, rules, signal),
        }),
      },
    }
    const { unitOfWork, notices } = room.store
    const events = { jobFailed: (facts: unknown) => void troubles.push(facts), trouble: (facts: unknown) => void troubles.push(facts) }
    const one = () => runJobs({ unitOfWork, notices, now: () => new Date(), events }, trades, stop.signal, { ...JOB_TIMING, pollMs: 200 })
    running = Promise.all([one(), one()])
  })
  afterAll(async () => {
    stop.abort()
    await running
    await receiver[Symbol.asyncDispose]()
    await room[Symbol.asyncDispose]()
  })

  const submit = async (files: Readonly<Record<string, string>>, change: Partial<Submission> = {}): Promise<string> => {
    const archive = tar(...Object.entries({ ...RECIPE, ...files }).map(([name, body]) => ({ path: name, body })))
    const { sha256: upload, size } = await blobs.put(oneChunk(archive))
    const source = { kind: 'archive', name: 'app.tar', path: '.' } as const
    const submission = submissionOf(room.ownerId, { source, upload, callbackUrl: receiver.url, ...change })
    await room.store.unitOfWork.run(({ uploads }) => uploads.add({ ownerId: room.ownerId, sha256: upload, size, createdAt: new Date() }))
    const accepted = await acceptVerification(room.ports, commandOf(submission))
    return accepted.verificationId
  }
  /** Builds until each of these is decided, signed and told. */
  const ended = async (ids: readonly string[]): Promise<Verification[]> => {
    const worker = new BuildingWorker(room, `worker of ${ids[0]}`)
    const { reads } = room.store
    for (;;) {
      await worker.buildAll()
      const found = await Promise.all(ids.map((id) => reads.verifications.read(id)))
      const all = found.flatMap((one) => (one?.state === 'finished' ? [one] : []))
      const waiting = await reads.attestations.due(new Date(Date.now() + 1e9), 100)
      const told = new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))
      if (all.length === ids.length && waiting.length === 0 && ids.every((id) => told.has(`msg_${id}`))) return all
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const reportOf = async ({ report }: Verification): Promise<VerificationReport> =>
    VerificationReport.parse(JSON.parse(Buffer.concat(await Array.fromAsync(await blobs.open(report ?? digestOf('')))).toString()))
  const statementsOf = async (id: string) =>
    await Promise.all(
      (await room.store.reads.attestations.of(id)).map(async ({ bundle, predicateType }) => {
        const text = Buffer.concat(await Array.fromAsync(await blobs.open(bundle))).toString()
        const { dsseEnvelope } = JSON.parse(text) as { dsseEnvelope: { payload: string } }
        const statement = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString()) as { predicate: { invocationId?: string } }
        return { predicateType, invocationId: statement.predicate.invocationId }
      }),
    )

  it('lead each submission to one verdict, one statement of each type, and one word to whoever asked', async () => {
    const ids: string[] = []
    for (let number = 0; number < 6; number += 1) ids.push(await submit({ number: `${kind} ${number}` }))
    ids.push(await submit({ 'stand-in.json': '{"fails":true}' }), await submit({ 'stand-in.json': '{"random":true}' }))
    ids.push(await submit({ 'mkosi.conf': '[Content]\nPostOutputScripts=x\n' }))
    const all = await ended(ids)
    expect(all.map(({ verdict }) => verdict)).toEqual([
      ...Array.from({ length: 6 }, () => 'mismatch'),
      'build-failed',
      'nondeterministic',
      'refused',
    ])
    for (const { id, verdict } of all) {
      const types = (await statementsOf(id)).map(({ predicateType }) => predicateType)
      const one = ['bitwitness:rebuild-result/v1']
      expect(types.toSorted()).toEqual(verdict === 'mismatch' ? [...one, 'https://slsa.dev/provenance/v1'] : one)
    }
    const bodies = receiver.requests.map(({ body, headers }) =>
      CallbackBody.parse(new Webhook(webhookSecret(ROOT, room.ownerId)).verify(body, headers as Record<string, string>)),
    )
    expect(bodies.map(({ data }) => data.verification).toSorted()).toEqual(ids.toSorted())
    expect(bodies.map(({ data }) => data.verdict).toSorted()).toEqual(all.flatMap(({ verdict }) => verdict ?? []).toSorted())
  })

  it('answer by what was rebuilt before, for another claim, and say in what is signed when that was', async () => {
    const files = { reused: kind }
    const [first] = await ended([await submit(files)])
    if (first === undefined) throw new Error('gone')
    const built: Sha256 | undefined = (await reportOf(first)).attempts[0]?.artifacts[0]?.sha256
    const claims = [{ kind: 'file', name: null, sha256: built ?? digestOf(''), location: null }] as const
    const [second] = await ended([await submit(files, { claims, maxAgeSeconds: 3600 })])
    if (second === undefined) throw new Error('gone')
    expect(second).toMatchObject({ verdict: 'reproduced', tier: 'bit-exact', reusedFrom: first.id, builder: first.builder })
    const [before, after] = [await reportOf(first), await reportOf(second)]
    expect(after.attempts).toEqual(before.attempts)
    expect(after.startedAt).toBe(before.startedAt)
    expect(await statementsOf(second.id)).toEqual(
      expect.arrayContaining([{ predicateType: 'bitwitness:reproduced/v1', invocationId: `urn:uuid:${first.id}` }]),
    )
  })

  it('end when they are told to, and nothing went wrong meanwhile', async () => {
    stop.abort()
    await running
    expect(troubles).toEqual([])
  })
})
