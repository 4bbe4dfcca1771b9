import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DecisionPorts, decisionWork, LOOK_TRIES } from '../src/app/service/decision.ts'
import { cancelVerification } from '../src/app/service/end-verification.ts'
import type { Submission, Verification } from '../src/app/store/records.ts'
import { bringStrangersClaimed } from '../src/claimed-bytes.ts'
import { readSettings } from '../src/config/settings.ts'
import { downloadRules } from '../src/download/rules.ts'
import { sending, serveFiles } from '../src/download/testing/file-server.ts'
import { type LocalBlobs, openBlobFolder } from '../src/storage/blob-folder.ts'
import { makeScratch } from '../src/storage/scratch.ts'
import { oneChunk } from '../verifier/bytes/one-chunk.ts'
import type { Claim } from '../verifier/model/claim.ts'
import { Explanation } from '../verifier/model/explanation.ts'
import { Failure } from '../verifier/model/failure.ts'
import { VerificationReport } from '../verifier/model/report.ts'
import { BuildingWorker } from './built-by-workers.ts'
import { hurry, takeAll, takeBack } from './queued.ts'
import { digestOf, newId } from './stored.ts'
import { databases } from './stores.ts'
import { workOff } from './worked-off.ts'
import { WorkerRoom } from './worker-room.ts'

const REPRODUCED = ['https://slsa.dev/provenance/v1', 'bitwitness:reproduced/v1']
const RESULT = ['https://slsa.dev/provenance/v1', 'bitwitness:rebuild-result/v1']

describe.each(databases())('a verdict on %s', (kind) => {
  let room: WorkerRoom
  let blobs: LocalBlobs
  let worker: BuildingWorker
  let ports: DecisionPorts

  beforeAll(async () => {
    room = await WorkerRoom.open(kind)
    blobs = await openBlobFolder(path.join(room.folder, 'blobs'))
    worker = new BuildingWorker(room)
    await room.makeFolder('work')
    const settings = readSettings({ DOCKER_CONFIG: '/nonexistent' })
    const rules = downloadRules({ plainHttp: true, privateHosts: true }, { maxBytes: 1 << 20, seconds: 60 })
    ports = {
      ...room.ports,
      blobs,
      fileOf: (sha256, signal) => blobs.fileOf(sha256, signal),
      scratch: () => makeScratch(path.join(room.folder, 'work')),
      fetchClaimed: (o) => bringStrangersClaimed(o, settings, rules),
      outputBytes: 1 << 20,
      version: '1.2.3',
    }
  })
  afterAll(async () => {
    await room[Symbol.asyncDispose]()
  })

  const claim = (change: Partial<Claim> = {}): Claim => ({
    kind: 'file',
    name: null,
    sha256: digestOf('claimed'),
    location: null,
    ...change,
  })
  const submit = (files: Readonly<Record<string, string>>, submission: Partial<Submission> = {}): Promise<string> =>
    room.submit(files, { submission })
  const decide = (change: Partial<DecisionPorts> = {}) => workOff(room.store, 'decision', decisionWork({ ...ports, ...change }))
  const read = async (id: string): Promise<Verification> => {
    const found = await room.store.reads.verifications.read(id)
    if (found === undefined) throw new Error('gone')
    return found
  }
  const textOf = async (sha256: Verification['report']): Promise<string> =>
    Buffer.concat(await Array.fromAsync(await blobs.open(sha256 ?? digestOf('')))).toString()
  const reportOf = async (id: string): Promise<VerificationReport> =>
    VerificationReport.parse(JSON.parse(await textOf((await read(id)).report)))
  const rolesOf = async (id: string): Promise<string[]> => [...new Set((await room.store.reads.blobs.of(id)).map(({ role }) => role))]
  const planned = async (): Promise<string[]> => (await takeAll(room.store, 'signing')).map(({ predicateType }) => predicateType)
  /** What the stand-in makes of these files. */
  const built = async (files: Readonly<Record<string, string>>): Promise<{ sha256: Claim['sha256']; bytes: Buffer }> => {
    const id = await submit(files)
    await worker.buildAll()
    await decide()
    await planned()
    const [artifact] = (await reportOf(id)).attempts[0]?.artifacts ?? []
    const file = artifact === undefined ? undefined : await blobs.fileOf(artifact.sha256, new AbortController().signal)
    if (artifact === undefined || file === undefined) throw new Error('nothing was built')
    return { sha256: artifact.sha256, bytes: await readFile(file) }
  }

  it('is given once all attempts are committed, with a report of them, and what is to be signed', async () => {
    const files = { a: 'reproduced' }
    const { sha256 } = await built(files)
    const id = await submit(files, { claims: [claim({ sha256 })], callbackUrl: 'https://hook.example' })
    expect(await decide()).toEqual([])
    await worker.buildAll()
    expect(await decide()).toEqual(['done'])
    expect(await read(id)).toMatchObject({ state: 'finished', verdict: 'reproduced', tier: 'bit-exact', claims: [{ sha256 }] })
    const report = await reportOf(id)
    expect(report).toMatchObject({
      verdict: 'reproduced',
      architecture: 'amd64',
      attempts: [
        { number: 1, mode: 'live', retried: [] },
        { number: 2, mode: 'replay', retried: [] },
      ],
      builder: { mkosi: '25.3' },
      explanation: { state: 'complete', documents: [] },
      tool: { version: '1.2.3' },
    })
    expect(report.builder?.digest).toBe((await read(id)).builder)
    const manifest = report.attempts[0]?.artifacts[0]?.oci?.manifest
    for (const [digest, name] of [
      [sha256, 'image.tar'],
      [manifest ?? digestOf(''), 'image.tar.oci'],
    ] as const) {
      const { items } = await room.store.reads.verifications.known(digest, { cursor: null, limit: 10 })
      const own = items.find(({ verification }) => verification.id === id)
      expect(own?.subjects.filter((subject) => subject.kind === 'artifact')).toEqual([{ sha256: digest, kind: 'artifact', name }])
    }
    expect(await planned()).toEqual(REPRODUCED)
    expect(await takeAll(room.store, 'callback')).toEqual([{ verificationId: id }])
    // Its bytes are of no use any more; what they were is in their manifests.
    expect((await rolesOf(id)).toSorted()).toEqual(['lock', 'log', 'report', 'source', 'tree-manifest'])
  })

  it('says of each attempt how often the infrastructure failed before, whatever its worker says', async () => {
    const id = await submit({ a: 'retried' })
    const other = new BuildingWorker(room, 'failing')
    let failed = false
    await other.buildAll(() => {
      if (failed) return { retried: [{ code: 'made-up', message: 'm', data: {} }] }
      failed = true
      const reason = { code: 'engine-unreachable', message: 'the engine does not answer', data: {} }
      return { outcome: 'infrastructure', reason, artifacts: [] }
    })
    await hurry(room.store)
    await other.buildAll(() => ({ retried: [{ code: 'made-up', message: 'm', data: {} }] }))
    await decide()
    const retried = (await reportOf(id)).attempts.map((attempt) => attempt.retried.map(({ code }) => code))
    expect(retried).toEqual([['engine-unreachable'], []])
    await planned()
  })

  it('is a mismatch that nothing explains where nobody says where the claimed bytes are, and keeps ours', async () => {
    const id = await submit({ a: 'mismatch' })
    await worker.buildAll()
    await decide()
    expect(await read(id)).toMatchObject({ verdict: 'mismatch', tier: null })
    expect((await reportOf(id)).explanation).toMatchObject({ state: 'skip', reason: expect.stringContaining(digestOf('claimed')) })
    expect(await planned()).toEqual(RESULT)
    expect(await rolesOf(id)).toContain('artifact')
  })

  it('is explained by the claimed bytes, which are asked for only then', async () => {
    const files = { a: 'explained' }
    const { bytes } = await built(files)
    const theirs = Buffer.from(bytes.toString('latin1').replace('explained', 'exploited'), 'latin1')
    await using server = await serveFiles(sending(theirs))
    const location = `http://127.0.0.1:${server.port}/image.tar`
    const { sha256 } = await blobs.put(oneChunk(theirs))
    const id = await submit(files, { claims: [claim({ sha256, location })] })
    await worker.buildAll()
    expect(server.requests).toEqual([])
    await decide()
    expect(server.requests.map((request) => request.path)).toEqual(['/image.tar'])
    const { verdict, findings, explanation } = await reportOf(id)
    expect([verdict, explanation.state]).toEqual(['mismatch', 'complete'])
    expect(findings.map((finding) => finding.path)).toContain('a')
    const [document = digestOf('')] = explanation.documents
    expect(Explanation.parse(JSON.parse(await textOf(document))).findings).toEqual(findings)
    expect(await rolesOf(id)).toContain('explanation')
    await planned()
  })

  it('is a reproduction of content where the claimed bytes are the same once they are unpacked', async () => {
    const files = { a: 'packed' }
    const theirs = gzipSync((await built(files)).bytes)
    await using server = await serveFiles(sending(theirs))
    const { sha256 } = await blobs.put(oneChunk(theirs))
    const id = await submit(files, { claims: [claim({ sha256, location: `http://127.0.0.1:${server.port}/image.tar.gz` })] })
    await worker.buildAll()
    await decide()
    expect(await read(id)).toMatchObject({ verdict: 'reproduced', tier: 'content-equal' })
    expect(await planned()).toEqual(RESULT)
  })

  it('says what differs between attempts that disagree', async () => {
    const id = await submit({ 'stand-in.json': '{"random":true}' })
    await worker.buildAll()
    await decide()
    expect(await read(id)).toMatchObject({ verdict: 'nondeterministic', reasons: [{ code: 'attempts-differ' }] })
    const { findings, explanation } = await reportOf(id)
    expect(explanation.state).toBe('complete')
    expect(findings.map((finding) => finding.path)).toContain('built')
    expect(await planned()).toEqual(['bitwitness:rebuild-result/v1'])
    expect(await rolesOf(id)).toContain('artifact')
  })

  it.each([
    ['a path of this machine', '/etc/passwd', 'claimed-local-refused'],
    ['a URL without TLS where that is not allowed', 'http://127.0.0.1:1/x', 'download-plain-http'],
    ['an address that is not public', 'https://169.254.169.254/latest', 'download-host-private'],
  ])('waits for no bytes at %s', async (_, location, code) => {
    const settings = readSettings({ DOCKER_CONFIG: '/nonexistent' })
    const rules = downloadRules({ plainHttp: false, privateHosts: false }, { maxBytes: 1 << 20, seconds: 60 })
    const id = await submit({ a: location }, { claims: [claim({ location })] })
    await worker.buildAll()
    await decide({ fetchClaimed: (o) => bringStrangersClaimed(o, settings, rules) })
    expect(await read(id)).toMatchObject({ verdict: 'mismatch' })
    expect((await reportOf(id)).explanation).toMatchObject({ state: 'skip', reason: expect.stringContaining(code) })
    await planned()
  })

  it('waits no longer for claimed bytes than is spent on them', async () => {
    await using server = await serveFiles((_, response) => void response.writeHead(200, { 'content-length': 10 }).write('x'))
    const location = `http://127.0.0.1:${server.port}/never`
    const id = await submit({ a: 'hanging' }, { claims: [claim({ location })] })
    await worker.buildAll()
    await decide({ lookMs: 300 })
    expect(await read(id)).toMatchObject({ verdict: 'mismatch' })
    expect((await reportOf(id)).explanation).toMatchObject({ state: 'skip', reason: 'it took longer than is spent on it' })
    expect(server.requests).toHaveLength(1)
    await planned()
  })

  it('is given in the end where this machine fails to look', async () => {
    const id = await submit({ a: 'failing look' })
    await worker.buildAll()
    const full = new Failure({ code: 'canonical-io', message: 'm', hint: 'h', audience: 'operator' })
    const told: unknown[] = []
    const failing = { scratch: () => Promise.reject(full), events: { jobFailed: ({ error }: { error: unknown }) => void told.push(error) } }
    for (let tries = 1; tries < LOOK_TRIES; tries += 1) {
      await expect(decide(failing)).rejects.toBe(full)
      await takeBack(room.store)
    }
    expect(await decide(failing)).toEqual(['done'])
    expect(await read(id)).toMatchObject({ verdict: 'mismatch' })
    expect((await reportOf(id)).explanation).toMatchObject({ state: 'skip', reason: 'the service itself failed (canonical-io)' })
    expect(told).toEqual([full])
    await planned()
  })

  it('is given without a look where looking ended the coordinator again and again', async () => {
    const id = await submit({ a: 'deadly look' })
    await worker.buildAll()
    for (let tries = 1; tries <= LOOK_TRIES; tries += 1) {
      await room.store.unitOfWork.run(({ jobs }) => jobs.take('decision'))
      await takeBack(room.store)
    }
    await decide({ scratch: () => Promise.reject(new Error('it was looked')) })
    expect((await reportOf(id)).explanation).toMatchObject({ state: 'skip' })
    expect(await read(id)).toMatchObject({ verdict: 'mismatch' })
    await planned()
  })

  it('is undecided, and nothing is signed, where the infrastructure failed', async () => {
    const id = await submit({ a: 'undecided' })
    const reason = { code: 'engine-unreachable', message: 'the engine does not answer', data: {} }
    for (let tries = 0; tries < 5; tries += 1) {
      await worker.buildAll(() => ({ outcome: 'infrastructure', reason, artifacts: [] }))
      await hurry(room.store)
    }
    await decide()
    expect(await read(id)).toMatchObject({ verdict: 'undecided', reasons: [{ code: 'engine-unreachable' }], report: expect.any(String) })
    expect(await planned()).toEqual([])
  })

  it('is not given to what was cancelled meanwhile', async () => {
    const id = await submit({ a: newId() })
    await worker.buildAll()
    const scratch: DecisionPorts['scratch'] = async () => {
      await cancelVerification(ports, id)
      return await ports.scratch()
    }
    expect(await decide({ scratch })).toEqual(['done'])
    expect(await read(id)).toMatchObject({ state: 'cancelled', verdict: null, report: null })
  })
})
