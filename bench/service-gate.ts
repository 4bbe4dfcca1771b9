import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { encodeStatement, keySigner, PREDICATE_TYPE } from '../attestations/index.ts'
import { APP_COMPOSE, APP_ID, BOOT, COMPOSE_HASH, MANIFEST, NAME, POLICY, PREDICATE, STATEMENT } from '../src/app/gate/testing/passing.ts'
import { decide } from '../src/app/service/end-verification.ts'
import { reportAttempt } from '../src/app/service/report-attempt.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { acceptPrepared, addOwner, addWorker, decisionOf, digestOf, mustLease, newId, reportOf, submissionOf } from '../test/stored.ts'
import { oneChunk } from '../verifier/bytes/one-chunk.ts'
import { underLoad } from './load.ts'
import { LoopbackClient } from './loopback-client.ts'
import { ServiceProcess } from './service-process.ts'
import { startBenchServer } from './service-store.ts'
import { spread } from './spread.ts'

/**
 * How long a KMS waits for the answer about an app that is allowed: with the signature verified each time, and as seldom as a policy may let it be.
 * The compiled server, PostgreSQL and the clients share the machine.
 * node bench/service-gate.ts [--seconds 10]   after `npm run build`
 */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } })
const seconds = Number(values.seconds)

await using held = new AsyncDisposableStack()
const home = await mkdtemp(path.join(os.tmpdir(), 'bitwitness-bench-'))
held.defer(() => rm(home, { recursive: true, force: true }))
const policies = path.join(home, 'policies')
await mkdir(policies)
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const policy = {
  ...POLICY,
  signers: [{ key: publicKey.export({ type: 'spki', format: 'pem' }).toString() }],
  sources: { app: { ...POLICY.sources['app'], owners: ['local:alice'] } },
  apps: { [APP_ID]: { images: [NAME], composes: [COMPOSE_HASH], devices: 'any' } },
}
for (const [name, cacheSeconds] of [
  ['fresh', 0],
  ['cached', 60],
] as const)
  await writeFile(path.join(policies, `${name}.yaml`), stringify({ ...policy, name, attestations: { maxAge: 36_500, cacheSeconds } }))

const server = held.use(await startBenchServer())
const { url, room } = await server.store('gate')
const ports = { unitOfWork: room.unitOfWork, now: () => new Date(), newId }
const owner = await addOwner(room, 'alice', new Date())
const worker = await addWorker(room, 'one', new Date())
const source = { kind: 'git', url: 'https://git.example/app/image.git', commit: 'a'.repeat(40), path: 'images/app' } as const
const claims = [{ kind: 'oci-manifest', name: null, sha256: MANIFEST, location: null }] as const
const id = await acceptPrepared(ports, submissionOf(owner.id, { source, attempts: 1, claims }))
const { attempt, lease } = await mustLease(ports, worker)
const report = reportOf(1, 'built')
await reportAttempt(ports, { attemptId: attempt.id, lease, worker: worker.id, report, digest: digestOf('report') })
await decide(ports, id, decisionOf({ statements: [] }))
const blobs = await openBlobFolder(path.join(home, 'blobs'))
const statement = encodeStatement({ ...STATEMENT, predicate: { ...PREDICATE, owner: 'local:alice', finishedAt: new Date().toISOString() } })
const bundle = await blobs.put(oneChunk(await signer.sign(statement, { signal: new AbortController().signal, owner: null })))
const compose = await blobs.put(oneChunk(APP_COMPOSE))
await room.unitOfWork.run(async (unit) => {
  const at = new Date()
  await unit.blobs.refer({ ...bundle, verificationId: id, role: 'bundle', at })
  const about = { verificationId: id, predicateType: PREDICATE_TYPE.reproduced, signer: 'key', createdAt: at }
  await unit.attestations.publish({ id: newId(), bundle: bundle.sha256, ...about })
  await unit.composes.admit({ appId: APP_ID, composeHash: COMPOSE_HASH, size: compose.size, ownerId: owner.id, at })
})

const service = held.use(await ServiceProcess.start({ database: url, home, environment: { BITWITNESS_POLICIES: policies } }))
const body = JSON.stringify(BOOT)
const machine = `${os.availableParallelism()} processors, load ${os.loadavg()[0]?.toFixed(1)}, node ${process.version}`
console.log(`answers to a KMS, PostgreSQL; ${machine}; ${seconds} s each; ms: least, median, p99`)
for (const name of ['fresh', 'cached'])
  for (const connections of [1, 64]) {
    using client = new LoopbackClient(service.port, connections)
    const once = async (): Promise<void> => {
      const headers = { 'content-type': 'application/json' }
      const answer = await client.expect(200, { method: 'POST', target: `/v1/dstack/${name}/bootAuth/app`, headers, body })
      if (!answer.includes('"isAllowed":true')) throw new Error(answer.toString())
    }
    await underLoad({ connections, seconds: 2 }, once)
    const { times, seconds: took } = await underLoad({ connections, seconds }, once)
    console.log(
      `${name.padEnd(8)} ${String(connections).padStart(3)} at once ${(times.length / took).toFixed(0).padStart(6)} a second ${spread(times)}`,
    )
  }
