import { generateKeyPairSync } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { keySigner, PREDICATE_TYPE, VsaPredicate, verifyAttestation } from '../attestations/index.ts'
import { KmsBootInfo } from '../src/app/gate/boot-info.ts'
import { APP_COMPOSE, BOOT, COMPOSE_HASH, digest, MANIFEST, NAME } from '../src/app/gate/testing/passing.ts'
import { GateDesk } from '../src/app/service/gate-desk.ts'
import { repairJobs } from '../src/app/service/repair-jobs.ts'
import { SUMMARY_EVERY_MS, type SummaryPorts, summaryWork } from '../src/app/service/summary.ts'
import type { HttpApp } from '../src/http/http-ports.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { Failure } from '../verifier/model/failure.ts'
import { ask, HttpService } from './http-service.ts'
import { hurry, takeBack } from './queued.ts'
import { rebuiltImage, SERVICE_POLICY } from './rebuilt-image.ts'
import { rowsOf } from './rows.ts'
import { digestOf } from './stored.ts'
import { databases } from './stores.ts'
import { workOff } from './worked-off.ts'

const DAY_MS = 86_400_000
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const BASE = 'https://rebuild.example/'

describe.each(databases())('summaries of what a gate says, on %s', (kind) => {
  let service: HttpService
  let app: HttpApp
  let desk: GateDesk
  let ports: SummaryPorts
  /** Each test has an app of its own. */
  let appId = ''
  let number = 0
  const policyFor = (change: object = {}) => ({
    ...SERVICE_POLICY,
    attestations: { ...SERVICE_POLICY.attestations, maxAge: 10, cacheSeconds: 0 },
    apps: { [appId]: { images: [NAME], composes: [], admitters: ['local:alice'], devices: 'any' } },
    ...change,
  })

  beforeAll(async () => {
    service = await HttpService.open({ kind })
    await service.caller('alice', { scopes: ['submit', 'cancel', 'admit'] })
    await service.caller('mallory', { scopes: ['submit', 'cancel', 'admit'] })
    app = service.app()
    desk = new GateDesk({ ...service.gatePorts, unitOfWork: service.store.unitOfWork })
    ports = {
      ...service.ports,
      reads: service.store.reads,
      blobs: service.blobs,
      signer: async () => ({ signer, builderBase: 'https://rebuild.example/builder' }),
      base: new URL(BASE),
      version: '1.2.3',
    }
  })
  afterAll(() => service[Symbol.asyncDispose]())
  beforeEach(async () => {
    number += 1
    appId = number.toString(16).padStart(40, '0')
    put('production', policyFor())
    await admit(APP_COMPOSE)
    await rebuiltImage(service, 'alice')
  })

  const put = (name: string, value: object): void => void service.policyFiles.set(name, stringify({ ...value, name }))
  const admit = async (bytes: string, { token = 'alice', hash = COMPOSE_HASH as string } = {}) => {
    const headers = { 'content-type': 'application/octet-stream' }
    const { status } = await ask(app, `/v1/apps/${appId}/composes/${hash}`, { method: 'PUT', token, headers, body: bytes })
    expect(status).toBe(201)
  }
  /** A KMS asks; what it was told. */
  const asked = async (change: object = {}, name = 'production'): Promise<boolean> => {
    const found = await desk.policy(name)
    if (found === null || found === undefined) throw new Error('no policy')
    const { isAllowed } = await desk.ask('kms-app', found, KmsBootInfo.parse({ ...BOOT, appId, ...change }))
    return isAllowed
  }
  const signAll = (change: Partial<SummaryPorts> = {}) => workOff(service.store, 'summary', summaryWork({ ...ports, ...change }))
  const askedAndSigned = async (change: object = {}, name = 'production') => {
    await asked(change, name)
    await desk.flush()
    return await signAll()
  }
  const listed = async () => {
    const { json } = await ask(app, '/v1/attestations?limit=200')
    const { items } = json as { items: { id: string; predicateType: string; bundle: Sha256; verification: string | null }[] }
    const own = new Set(
      (await rowsOf<{ id: string }>(service.store, sql`select attestation_id as id from gate_summaries where app_id = ${appId}`)).map(
        ({ id }) => id,
      ),
    )
    return items.filter(({ id, predicateType }) => predicateType === PREDICATE_TYPE.vsa && own.has(id)).toReversed()
  }
  const verified = async (bundle: Sha256, artifact: Sha256) => {
    const { status, text } = await ask(app, `/v1/blobs/${bundle}`)
    expect(status).toBe(200)
    const check = verifyAttestation({
      bundle: Buffer.from(text),
      trustedRoot: null,
      policy: { thresholds: {}, signer: { kind: 'key', publicKeys: [key] }, artifact, predicateType: PREDICATE_TYPE.vsa },
      now: new Date(),
    })
    expect([check.verdict, check.message]).toEqual(['verified', 'every check that was asked for passed'])
    return check.statement
  }
  const results = async (): Promise<string[]> => {
    const statements = await Promise.all((await listed()).map(({ bundle }) => verified(bundle, COMPOSE_HASH)))
    return statements.map((statement) => VsaPredicate.parse(statement?.predicate).verificationResult)
  }
  /** Lets the time pass that jobs wait before they begin. */
  const waited = async (): Promise<void> => {
    await hurry(service.store)
    await service.store.database.drizzle.execute(
      sql`update queue.job set start_after = now() - interval '1 second' where name = 'summary' and state = 'created'`,
    )
  }

  it('are signed once, say what was judged by which policy on what evidence, and are found from the app', async () => {
    expect(await asked()).toBe(true)
    await desk.flush()
    expect(await signAll()).toEqual(['done'])
    const [only, ...more] = await listed()
    if (only === undefined) throw new Error('nothing was signed')
    expect(more).toEqual([])
    expect(only.verification).toBeNull()
    const statement = await verified(only.bundle, MANIFEST)
    const evidence = (await ask(app, '/v1/attestations')).json as { items: { bundle: Sha256; predicateType: string }[] }
    const reproduced = evidence.items.find(({ predicateType }) => predicateType === PREDICATE_TYPE.reproduced)?.bundle
    expect(statement).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { name: 'app-compose.json', digest: { sha256: COMPOSE_HASH } },
        { name: NAME, digest: { sha256: MANIFEST } },
      ],
      predicateType: PREDICATE_TYPE.vsa,
      predicate: {
        verifier: { id: 'https://rebuild.example/builder/gate', version: { bitwitness: '1.2.3' } },
        timeVerified: service.clock.now().toISOString(),
        resourceUri: `bitwitness:app/${appId}`,
        policy: { uri: `${BASE}v1/policies/production`, digest: { sha256: digestOf(service.policyFiles.get('production') ?? '') } },
        inputAttestations: [{ uri: `${BASE}v1/blobs/${reproduced}`, digest: { sha256: reproduced } }],
        verificationResult: 'PASSED',
        verifiedLevels: ['BITWITNESS_REPRODUCED'],
      },
    })
    expect((await ask(app, `/v1/apps/${appId}/decisions`)).json).toMatchObject({
      items: [{ asked: 'kms-app', links: { summary: `/v1/attestations/${only.id}` } }],
    })
    expect((await ask(app, `/v1/attestations/${only.id}`)).json).toMatchObject({ verification: null, predicateType: PREDICATE_TYPE.vsa })
    // Questions are no changes.
    for (let again = 0; again < 3; again += 1) {
      service.clock.pass(60_000)
      expect(await askedAndSigned()).toEqual([])
    }
    expect(await listed()).toHaveLength(1)
  })

  it('are not led by what anybody says of a guest', async () => {
    expect(await askedAndSigned()).toEqual(['done'])
    for (const change of [{ osImageHash: digest('8') }, { tcbStatus: 'OutOfDate' }, { advisoryIds: ['INTEL-SA-1'] }]) {
      service.clock.pass(SUMMARY_EVERY_MS)
      expect(await asked(change)).toBe(false)
      await desk.flush()
      expect(await signAll()).toEqual([])
    }
    expect(await results()).toEqual(['PASSED'])
  })

  it('say nothing of what nobody admitted who may, however often it is asked about', async () => {
    const other = `${APP_COMPOSE} `
    await admit(other, { token: 'mallory', hash: digestOf(other) })
    expect(await askedAndSigned({ composeHash: digestOf(other) })).toEqual([])
    expect(await askedAndSigned({ appId: 'cd'.repeat(20) })).toEqual([])
    expect(await listed()).toEqual([])
    // Once it is admitted, what is said of it counts.
    await admit(other, { hash: digestOf(other) })
    service.clock.pass(1000)
    expect(await askedAndSigned({ composeHash: digestOf(other) })).toEqual(['done'])
    expect(await listed()).toHaveLength(1)
  })

  it('come again when a policy, or what it finds, changed', async () => {
    await askedAndSigned()
    service.clock.pass(11 * DAY_MS)
    expect(await askedAndSigned()).toEqual(['done'])
    await rebuiltImage(service, 'alice')
    service.clock.pass(SUMMARY_EVERY_MS)
    expect(await askedAndSigned()).toEqual(['done'])
    expect(await results()).toEqual(['PASSED', 'FAILED', 'PASSED'])
    put('production', policyFor({ apps: { [appId]: { images: [NAME], composes: [], admitters: ['local:bob'], devices: 'any' } } }))
    service.clock.pass(1000)
    expect(await askedAndSigned()).toEqual(['done'])
    expect(await results()).toEqual(['PASSED', 'FAILED', 'PASSED', 'FAILED'])
  })

  it('come no more often than every ten minutes where it goes to and fro, and then as it stands', async () => {
    const first = service.clock.now()
    await askedAndSigned()
    service.clock.pass(11 * DAY_MS)
    await askedAndSigned()
    const second = service.clock.now()
    for (let turn = 0; turn < 5; turn += 1) {
      service.clock.pass(1000)
      await rebuiltImage(service, 'alice')
      await asked()
      await desk.flush()
    }
    const [waiting] = await rowsOf<{ at: string | Date }>(
      service.store,
      sql`select start_after as at from queue.job where name = 'summary' and state = 'created' and data->>'appId' = ${appId}`,
    )
    expect(new Date(waiting?.at ?? 0)).toEqual(new Date(second.getTime() + SUMMARY_EVERY_MS))
    expect(first < second).toBe(true)
    await waited()
    expect(await signAll()).toEqual(['done'])
    expect(await results()).toEqual(['PASSED', 'FAILED', 'PASSED'])
  })

  it('say what a policy that only observes would have denied, so that it is no pass', async () => {
    put('observing', policyFor({ mode: 'observe' }))
    service.clock.pass(11 * DAY_MS)
    expect(await asked({}, 'observing')).toBe(true)
    await desk.flush()
    expect(await signAll()).toEqual(['done'])
    expect(await results()).toEqual(['FAILED'])
  })

  it('wait for a signer that is away, and come once', async () => {
    await asked()
    await desk.flush()
    const away = () => Promise.reject(new Failure({ code: 'rekor-unreachable', message: '', hint: '', retryable: true }))
    for (let tries = 0; tries < 3; tries += 1) {
      expect(await signAll({ signer: away })).toEqual(['again'])
      await waited()
    }
    expect(await signAll()).toEqual(['done'])
    expect(await results()).toEqual(['PASSED'])
  })

  it('are signed once where a coordinator ended between signing and publishing, or two did it', async () => {
    await asked()
    await desk.flush()
    const { unitOfWork } = service.store
    const job = await unitOfWork.run(({ jobs }) => jobs.take('summary'))
    if (job === undefined) throw new Error('nothing to sign')
    const [lost, late] = await Promise.all([0, 1].map(() => summaryWork(ports)(job, new AbortController().signal)))
    expect([lost?.end, late?.end]).toEqual(['done', 'done'])
    // The first was killed in the middle of the transaction.
    await expect(
      unitOfWork.run(async (unit) => {
        await lost?.write?.(unit)
        throw new Error('killed')
      }),
    ).rejects.toThrow('killed')
    expect(await listed()).toEqual([])
    await takeBack(service.store)
    expect(await signAll()).toEqual(['done'])
    await unitOfWork.run(async (unit) => await late?.write?.(unit))
    expect(await results()).toEqual(['PASSED'])
  })

  it('do not lose what changed while one was signed', async () => {
    await asked()
    await desk.flush()
    const { unitOfWork } = service.store
    let meanwhile = async (): Promise<void> => {
      meanwhile = async () => {}
      service.clock.pass(11 * DAY_MS)
      await asked()
      await desk.flush()
    }
    const slow: SummaryPorts['signer'] = async () => {
      await meanwhile()
      return await ports.signer()
    }
    // The clock of these tests is behind that of the queue, so that what waits may begin at once.
    expect(await signAll({ signer: slow })).toEqual(['done', 'done'])
    expect(await results()).toEqual(['PASSED', 'FAILED'])
    expect(await unitOfWork.run(({ jobs }) => jobs.take('summary'))).toBeUndefined()
  })

  it('are noted with their jobs or not at all, and find their jobs again where those were lost', async () => {
    const { unitOfWork } = service.store
    const failing: GateDesk = new GateDesk({
      ...service.gatePorts,
      unitOfWork: {
        run: (work) =>
          unitOfWork.run(async (unit) => {
            await work(unit)
            throw new Error('killed')
          }),
      },
    })
    const found = await desk.policy('production')
    if (found === null || found === undefined) throw new Error('no policy')
    await failing.ask('kms-app', found, KmsBootInfo.parse({ ...BOOT, appId }))
    await failing.flush()
    const counted = async () =>
      await rowsOf(
        service.store,
        sql`select 1 from gate_standings where app_id = ${appId} union all select 1 from queue.job where name = 'summary' and data->>'appId' = ${appId}`,
      )
    expect(await counted()).toEqual([])
    await asked()
    await desk.flush()
    expect(await counted()).toHaveLength(2)
    await service.store.database.drizzle.execute(sql`delete from queue.job where name = 'summary'`)
    expect(await repairJobs({ ...service.ports, reads: service.store.reads })).toBe(1)
    expect(await signAll()).toEqual(['done'])
    expect(await repairJobs({ ...service.ports, reads: service.store.reads })).toBe(0)
  })

  it('are kept, and what was only asked about is not', async () => {
    await askedAndSigned()
    const other = `${APP_COMPOSE} `
    await admit(other, { token: 'mallory', hash: digestOf(other) })
    await askedAndSigned({ composeHash: digestOf(other) })
    const { unitOfWork } = service.store
    const before = service.clock.pass(1000 * DAY_MS)
    expect(await unitOfWork.run(({ gateStandings }) => gateStandings.sweep(before, 100))).toBeGreaterThan(0)
    const left = await rowsOf<{ hash: string }>(service.store, sql`select compose_hash as hash from gate_standings where app_id = ${appId}`)
    expect(left).toEqual([{ hash: COMPOSE_HASH }])
    expect(
      await service.store.unitOfWork.run(({ blobs }) =>
        blobs.collect({ endedBefore: before, notedBefore: before, after: null, limit: 500 }),
      ),
    ).toMatchObject({
      gone: expect.not.arrayContaining((await listed()).map(({ bundle }) => bundle)),
    })
    expect(await results()).toEqual(['PASSED'])
    await expect(service.store.database.drizzle.execute(sql`delete from gate_summaries`)).rejects.toMatchObject({
      cause: { code: 'BW001' },
    })
  })
})
