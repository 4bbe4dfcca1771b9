import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { SCOPES } from '../src/app/service/caller.ts'
import { tokenDigest, tokenSecret } from '../src/app/service/token-secret.ts'
import { addOwner, digestOf, newId } from '../test/stored.ts'
import { tar } from '../verifier/source/testing/tar.ts'
import { underLoad } from './load.ts'
import { LoopbackClient } from './loopback-client.ts'
import { ServiceProcess } from './service-process.ts'
import { startBenchServer } from './service-store.ts'
import { spread } from './spread.ts'

/**
 * How many submissions are accepted a second over HTTP, and how long each takes: of git repositories, and of small archives, which are
 * uploaded before. The compiled server, PostgreSQL and the clients share the machine.
 * node bench/service-submit.ts [--connections 8] [--seconds 10]   after `npm run build`
 */
const { values } = parseArgs({ options: { connections: { type: 'string', default: '8' }, seconds: { type: 'string', default: '10' } } })
const load = { connections: Number(values.connections), seconds: Number(values.seconds) }

/** Each with a token and an address of their own: nobody submits more often than they may. */
const OWNERS = 200

await using held = new AsyncDisposableStack()
const home = await mkdtemp(path.join(os.tmpdir(), 'bitwitness-bench-'))
held.defer(() => rm(home, { recursive: true, force: true }))
const server = held.use(await startBenchServer())
const { url, room } = await server.store('submit')
const secrets: string[] = []
const expiresAt = new Date(Date.now() + 86_400_000)
for (let number = 0; number < OWNERS; number += 1) {
  const owner = await addOwner(room, `owner ${number}`, new Date())
  const secret = tokenSecret(Buffer.from(digestOf(`token ${number}`), 'hex'))
  const digest = tokenDigest(secret)
  if (digest === undefined) throw new Error('no token')
  const token = {
    id: newId(),
    ownerId: owner.id,
    name: 't',
    scopes: SCOPES,
    createdAt: new Date(),
    expiresAt,
    revokedAt: null,
    lastUsedAt: null,
  }
  await room.unitOfWork.run(({ tokens }) => tokens.insert(token, digest))
  secrets.push(secret)
}
// Nothing is fetched from anywhere: a repository here is a port that nobody listens on.
const environment = { BITWITNESS_TRUSTED_PROXIES: '1', BITWITNESS_SOURCES_ALLOW: 'plain-http private-hosts' }
const service = held.use(await ServiceProcess.start({ database: url, home, environment }))
const client = held.use(new LoopbackClient(service.port, load.connections))

let number = 0
const asOwner = (): Record<string, string> => {
  number += 1
  const owner = number % OWNERS
  return { authorization: `Bearer ${secrets[owner] ?? ''}`, 'x-forwarded-for': `10.${owner >> 8}.${owner & 255}.1` }
}

async function submit(owner: Record<string, string>, source: Readonly<Record<string, string>>): Promise<void> {
  const claims = [{ kind: 'file', name: null, sha256: digestOf(`image ${number}`), location: null }]
  const headers = { ...owner, 'content-type': 'application/json', 'idempotency-key': newId() }
  await client.expect(202, { method: 'POST', target: '/v1/verifications', headers, body: JSON.stringify({ source, claims }) })
}

async function submitGit(): Promise<void> {
  const owner = asOwner()
  await submit(owner, { kind: 'git', url: 'http://127.0.0.1:9/app.git', commit: number.toString(16).padStart(40, '0') })
}

async function submitArchive(): Promise<void> {
  const owner = asOwner()
  const body = tar({ path: 'mkosi.conf', body: '[Distribution]\nDistribution=debian\n' }, { path: 'number', body: String(number) })
  const headers = { ...owner, 'content-type': 'application/octet-stream' }
  const uploaded = await client.expect(201, { method: 'POST', target: '/v1/uploads', headers, body })
  const { sha256 } = JSON.parse(uploaded.toString()) as { readonly sha256: string }
  await submit(owner, { kind: 'archive', sha256, name: 'app.tar' })
}

const machine = `${os.availableParallelism()} processors, load ${os.loadavg()[0]?.toFixed(1)}, node ${process.version}`
console.log(
  `submissions over HTTP, PostgreSQL; ${machine}; ${load.connections} connections for ${load.seconds} s each; ms: least, median, p99`,
)
for (const [name, once] of [
  ['git', submitGit],
  ['uploaded archive', submitArchive],
] as const) {
  await underLoad({ ...load, seconds: 2 }, once)
  const before = await service.usage()
  const { times, seconds } = await underLoad(load, once)
  const after = await service.usage()
  const cpu = ((after.cpu - before.cpu) * 1000) / times.length
  console.log(
    `${name.padEnd(18)} ${(times.length / seconds).toFixed(0).padStart(5)} a second ${spread(times)}   ${cpu.toFixed(2)} ms of the server’s CPU each`,
  )
}
