import path from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openKey } from '../attestations/sign/key-file.ts'
import { keySigner } from '../attestations/sign/key-signer.ts'
import type { StatementSigner } from '../attestations/sign/statement-signer.ts'
import { type MockSigstore, startMockSigstore } from '../attestations/sign/testing/mock-sigstore.ts'
import { mockSigner, trustedOf } from '../attestations/sign/testing/signers.ts'
import { keyBuilderBase, PREDICATE_TYPE } from '../attestations/statement/predicate-types.ts'
import type { RequiredSigner } from '../attestations/verify/policy.ts'
import { parseTrustedRoot } from '../attestations/verify/trusted-root.ts'
import { verifyAttestation } from '../attestations/verify/verify-attestation.ts'
import { decisionWork } from '../src/app/service/decision.ts'
import { type SigningPorts, signingWork } from '../src/app/service/signing.ts'
import type { Attestation } from '../src/app/store/records.ts'
import { type LocalBlobs, openBlobFolder } from '../src/storage/blob-folder.ts'
import { makeScratch } from '../src/storage/scratch.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { VerificationReport } from '../verifier/model/report.ts'
import { BuildingWorker } from './built-by-workers.ts'
import { hurry, takeBack } from './queued.ts'
import { addOwner, digestOf } from './stored.ts'
import { databases } from './stores.ts'
import { workOff } from './worked-off.ts'
import { WorkerRoom } from './worker-room.ts'

const BASE = 'https://rebuilder.example/builder'
const CERTIFIED = { kind: 'certificate', subjectAlternativeName: 'https://rebuilder.mock/a' } as const

describe.each(databases())('signing on %s', (kind) => {
  let room: WorkerRoom
  let blobs: LocalBlobs
  let worker: BuildingWorker
  let mock: MockSigstore
  let ports: SigningPorts
  let keyed: { signer: StatementSigner; publicKey: string; fingerprint: Sha256 }

  beforeAll(async () => {
    room = await WorkerRoom.open(kind)
    mock = await startMockSigstore()
    blobs = await openBlobFolder(path.join(room.folder, 'blobs'))
    worker = new BuildingWorker(room)
    await room.makeFolder('work')
    const { privateKeyPem, fingerprint } = await openKey(await room.makeFolder('keys'))
    const signer = keySigner({ privateKeyPem, tsa: null, trusted: null })
    const identity = await signer.identity(new AbortController().signal)
    if (identity.kind !== 'key') throw new Error('not a key')
    keyed = { signer, publicKey: identity.publicKey, fingerprint }
    const builderBase = keyBuilderBase(fingerprint)
    ports = { ...room.ports, reads: room.store.reads, blobs, operator: 'Example', signer: async () => ({ signer, builderBase }) }
  })
  afterAll(async () => {
    await mock[Symbol.asyncDispose]()
    await room[Symbol.asyncDispose]()
  })

  /** A verification with a verdict, none of whose statements is signed. */
  const decided = async (name: string, o: { ownerId?: string; sha256?: Sha256 } = {}): Promise<string> => {
    const claims = [{ kind: 'file', name: null, sha256: o.sha256 ?? digestOf('claimed'), location: null }] as const
    const submission = { claims, ...(o.ownerId === undefined ? {} : { ownerId: o.ownerId }) }
    const id = await room.submit({ name }, { submission })
    await worker.buildAll()
    const work = decisionWork({
      ...room.ports,
      blobs,
      fileOf: (sha256, signal) => blobs.fileOf(sha256, signal),
      scratch: () => makeScratch(path.join(room.folder, 'work')),
      fetchClaimed: () => Promise.reject(new Error('nothing says where')),
      outputBytes: 1 << 20,
      version: '1.2.3',
    })
    await workOff(room.store, 'decision', work)
    return id
  }
  const reportOf = async (id: string): Promise<VerificationReport> => {
    const digest = (await room.store.reads.verifications.read(id))?.report ?? digestOf('')
    return VerificationReport.parse(JSON.parse(Buffer.concat(await Array.fromAsync(await blobs.open(digest))).toString()))
  }
  const sign = (change: Partial<SigningPorts> = {}) => workOff(room.store, 'signing', signingWork({ ...ports, ...change }))
  const through = (version: 1 | 2): Partial<SigningPorts> => ({
    signer: async () => ({ signer: mockSigner(mock, version, { trusted: trustedOf(mock) }), builderBase: BASE }),
  })
  const attestations = (id: string): Promise<readonly Attestation[]> => room.store.reads.attestations.of(id)
  const waiting = async (id: string) =>
    (await room.store.reads.attestations.due(new Date(Date.now() + 1e9), 100)).filter((task) => task.verificationId === id)
  const check = async ({ bundle, predicateType }: Attestation, artifact: Sha256, signer: RequiredSigner) => {
    const answer = verifyAttestation({
      bundle: Buffer.concat(await Array.fromAsync(await blobs.open(bundle))),
      trustedRoot: signer.kind === 'key' ? null : parseTrustedRoot(Buffer.from(JSON.stringify(mock.trustedRoot))),
      policy: { signer, predicateType, artifact },
      now: new Date(),
    })
    expect(answer.checks.filter(({ result }) => result === 'fail')).toEqual([])
    if (answer.statement === null) throw new Error('not verified')
    return answer.statement
  }

  it('gives each statement about a verdict once, which verifies and says who asked, who ran it and what went in', async () => {
    const built = (await reportOf(await decided('by key'))).attempts[0]?.artifacts[0]?.sha256 ?? digestOf('')
    await sign()
    const id = await decided('by key', { sha256: built })
    expect((await waiting(id)).map(({ predicateType }) => predicateType).toSorted()).toEqual([
      PREDICATE_TYPE.reproduced,
      PREDICATE_TYPE.provenance,
    ])
    expect(await sign()).toEqual(['done', 'done'])
    const signed = await attestations(id)
    expect(signed.map(({ predicateType, signer }) => [predicateType, signer])).toEqual([
      [PREDICATE_TYPE.reproduced, `key sha256:${keyed.fingerprint}`],
      [PREDICATE_TYPE.provenance, `key sha256:${keyed.fingerprint}`],
    ])
    expect(await waiting(id)).toEqual([])
    const statements = new Map<string, Readonly<Record<string, unknown>>>()
    for (const one of signed)
      statements.set(one.predicateType, (await check(one, built, { kind: 'key', publicKeys: [keyed.publicKey] })).predicate)
    const report = (await room.store.reads.verifications.read(id))?.report
    expect(statements.get(PREDICATE_TYPE.reproduced)).toMatchObject({
      owner: 'local:alice',
      verifier: { operator: 'Example', worker: 'builder' },
      invocationId: `urn:uuid:${id}`,
      report,
      builder: { ids: [`bitwitness:builder/key/${keyed.fingerprint}/shared-kernel/stand-in/v1`] },
    })
    expect(statements.get(PREDICATE_TYPE.provenance)).toMatchObject({
      buildDefinition: {
        internalParameters: { worker: 'builder', operator: 'Example' },
        resolvedDependencies: expect.arrayContaining([
          expect.objectContaining({ name: 'debian/pool/main/a/app/app_1_all.deb', uri: 'pkg:deb/debian/app@1?arch=all' }),
        ]),
      },
    })
  })

  it.each([1, 2] as const)('waits through an outage of Rekor v%i of any length, and then publishes once', async (version) => {
    const built = (await reportOf(await decided(`outage ${version}`))).attempts[0]?.artifacts[0]?.sha256 ?? digestOf('')
    await sign()
    const id = await decided(`outage ${version}`)
    const rekor = `rekor${version}` as const
    mock.meddle(rekor, () => 'reset')
    for (let tries = 1; tries <= 12; tries += 1) {
      expect(await sign(through(version))).toEqual(['again', 'again'])
      expect(await waiting(id)).toMatchObject([
        { tries, lastCode: 'rekor-unreachable' },
        { tries, lastCode: 'rekor-unreachable' },
      ])
      expect(await attestations(id)).toEqual([])
      await hurry(room.store)
    }
    expect((await room.store.reads.verifications.read(id))?.verdict).toBe('mismatch')
    mock.meddle(rekor, null)
    mock.meddle('fulcio', () => ({ status: 503, body: 'down' }))
    expect(await sign(through(version))).toEqual(['again', 'again'])
    expect((await waiting(id)).map(({ lastCode }) => lastCode)).toEqual(['fulcio-failed', 'fulcio-failed'])
    await hurry(room.store)
    mock.meddle('fulcio', null)
    expect(await sign(through(version))).toEqual(['done', 'done'])
    expect(await waiting(id)).toEqual([])
    const issuer = new URL('/issuer', mock.urls.issuer).href
    for (const one of await attestations(id)) {
      expect(one.signer).toBe(`https://rebuilder.mock/a by ${issuer}`)
      const artifact = one.predicateType === PREDICATE_TYPE.provenance ? built : digestOf('claimed')
      await check(one, artifact, { ...CERTIFIED, issuer })
    }
    expect(await attestations(id)).toHaveLength(2)
  })

  it('publishes one where a coordinator ended between signing and publishing', async () => {
    const id = await decided('lost')
    const job = await room.store.unitOfWork.run(({ jobs }) => jobs.take('signing'))
    if (job === undefined) throw new Error('nothing to sign')
    const before = mock.requests.filter(({ service }) => service === 'rekor1').length
    // It signed, and nobody ever heard of it.
    const lost = await signingWork({ ...ports, ...through(1) })(job, new AbortController().signal)
    expect(lost.end).toBe('done')
    await takeBack(room.store)
    expect(await sign(through(1))).toEqual(['done', 'done'])
    expect(mock.requests.filter(({ service }) => service === 'rekor1').length - before).toBe(3)
    const signed = await attestations(id)
    expect(signed).toHaveLength(2)
    // Nor does it change anything where it comes back after all.
    await room.store.unitOfWork.run(async (unit) => await lost.write?.(unit))
    expect(await attestations(id)).toEqual(signed)
  })

  it('is not tried hot where the signer belongs to the owner, and stays to be seen', async () => {
    const owner = await addOwner(room.store, 'a', new Date())
    const id = await decided('own', { ownerId: owner.id })
    const before = mock.requests.length
    expect(await sign(through(1))).toEqual(['again', 'again'])
    expect(await waiting(id)).toMatchObject([{ lastCode: 'signer-is-owner' }, { lastCode: 'signer-is-owner' }])
    for (const { nextAt } of await waiting(id)) expect(nextAt.getTime() - Date.now()).toBeGreaterThan(5 * 3600_000)
    // No certificate was asked for: those are public.
    expect(mock.requests.slice(before).filter(({ service }) => service !== 'issuer')).toEqual([])
    await hurry(room.store)
    expect(await sign(through(1))).toEqual([])
    // Somebody else signs by the time that it comes up again.
    await room.store.database.drizzle.execute(sql`update queue.job set start_after = now() where name = 'signing' and state = 'created'`)
    expect(await sign()).toEqual(['done', 'done'])
    expect(await attestations(id)).toHaveLength(2)
  })

  it('waits for settings to be put right', async () => {
    const id = await decided('settings')
    const broken = new TypeError('a defect')
    expect(await sign({ signer: () => Promise.reject(broken) })).toEqual(['again', 'again'])
    expect((await waiting(id)).map(({ lastCode }) => lastCode)).toEqual(['internal', 'internal'])
    await hurry(room.store)
    expect(await sign()).toEqual(['done', 'done'])
  })

  it('names no input where the lock is gone, and its digest all the same', async () => {
    const id = await decided('without lock')
    const { lock } = await reportOf(id)
    const missing = { ...blobs, size: blobs.size.bind(blobs), put: blobs.put.bind(blobs) }
    const open: LocalBlobs['open'] = async (sha256) => await blobs.open(sha256 === lock ? digestOf('gone') : sha256)
    expect(await sign({ blobs: { ...missing, open } })).toEqual(['done', 'done'])
    const provenance = (await attestations(id)).find(({ predicateType }) => predicateType === PREDICATE_TYPE.provenance)
    const built = (await reportOf(id)).attempts[0]?.artifacts[0]?.sha256 ?? digestOf('')
    if (provenance === undefined) throw new Error('not signed')
    const { predicate } = await check(provenance, built, { kind: 'key', publicKeys: [keyed.publicKey] })
    const { resolvedDependencies } = (predicate as { buildDefinition: { resolvedDependencies: { name: string }[] } }).buildDefinition
    expect(resolvedDependencies.map(({ name }) => name)).toEqual(['source-tree', 'builder', 'inputs.lock.json'])
  })
})
