import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PREDICATE_TYPE } from '../attestations/statement/predicate-types.ts'
import { fetchedTools, NO_TOOLS } from '../attestations/verify/testing/fetched-tools.ts'
import { CliProcess, makeHomeLikeShared, runCli } from './cli-process.ts'
import { NetworkNamespace } from './network-namespace.ts'
import { type PublishedApp, publishApp } from './published-app.ts'
import { ServePlace, type ServeProcess } from './serve-process.ts'
import { sharedSettings, testRoom } from './shared-home.ts'

/** Nothing listens on the discard port: who has no mirror has its inputs from the coordinator. */
const DEAD = 'debian=http://127.0.0.1:9/debian/ debian-security=http://127.0.0.1:9/debian-security/'

let folder: string
let engine: string
let app: PublishedApp

beforeAll(async () => {
  await testRoom()
  engine = (await sharedSettings()).dockerHost ?? 'unix:///var/run/docker.sock'
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-service-'))
  app = await publishApp(folder)
}, 900_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const claims = (): string[] => app.claims.flatMap((claim) => ['--claim', claim])
const given = (): string[] => ['--lock', app.lock, '--inputs', app.inputs]
const LOCAL = { BITWITNESS_SOURCES_ALLOW: 'local-repositories' }

/** Submits as a CI job would: from a home of its own, with a token, and no engine. */
async function submit(serve: ServeProcess, token: string, args: readonly string[]) {
  const ended = await runCli(['submit', ...args, '--server', serve.url.href, '--json'], {
    home: path.join(folder, 'publisher'),
    engine: 'unix:///nowhere',
    environment: { ...LOCAL, BITWITNESS_TOKEN: token },
    seconds: 560,
  })
  const document = JSON.parse(ended.stdout === '' ? 'null' : ended.stdout) as { verdict?: string } | null
  return { code: ended.code, stderr: ended.stderr, document }
}

async function verificationsOf(serve: ServeProcess): Promise<readonly Verification[]> {
  return (JSON.parse((await serve.get('/v1/verifications')).body) as { items: Verification[] }).items
}

type Verification = {
  readonly id: string
  readonly verdict: string
  readonly tier: string
  readonly source: { readonly kind: string }
  readonly links: Readonly<Record<string, string>>
}
type Attestation = { readonly predicateType: string; readonly bundle: string }

/** Signing has a queue of its own: it is a moment behind the verdict. */
async function signed(serve: ServeProcess, id: string): Promise<readonly Attestation[]> {
  for (let round = 0; round < 300; round += 1) {
    const view = JSON.parse((await serve.get(`/v1/verifications/${id}`)).body) as { attestations: Attestation[] }
    if (view.attestations.length === 2) return view.attestations
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('it is not signed')
}

/** Downloads a bundle and has Debian's cosign say whether it speaks of the image that was claimed. */
async function cosign(place: ServePlace, serve: ServeProcess, attestation: Attestation, subject: string) {
  const tools = fetchedTools()
  if (tools === undefined) throw new Error(NO_TOOLS)
  const bundle = path.join(folder, `${attestation.bundle}.json`)
  const key = path.join(folder, 'key.pub')
  await writeFile(bundle, (await serve.get(`/v1/blobs/${attestation.bundle}`)).body)
  await writeFile(key, (await place.cli(['key', 'show'])).stdout)
  const words = ['verify-blob-attestation', '--bundle', bundle, '--key', key, '--insecure-ignore-tlog', '--type', attestation.predicateType]
  return await execa(tools.cosign, [...words, '--digest', subject, '--digestAlg', 'sha256'], { env: { HOME: folder }, reject: false })
}

async function checkSigned(place: ServePlace, serve: ServeProcess, id: string): Promise<void> {
  const attestations = await signed(serve, id)
  const reproduced = attestations.find(({ predicateType }) => predicateType === PREDICATE_TYPE.reproduced)
  if (reproduced === undefined) throw new Error(JSON.stringify(attestations))
  const good = await cosign(place, serve, reproduced, app.sha256)
  expect(good.exitCode, good.stderr).toBe(0)
  expect((await cosign(place, serve, reproduced, '0'.repeat(64))).exitCode).not.toBe(0)
}

describe('on PostgreSQL, with workers on two hosts', () => {
  it('the reference app is submitted by git and by upload, rebuilt by both, signed, downloaded and believed by cosign', async () => {
    await using place = await ServePlace.make('postgres')
    await using serve = await place.serve({
      args: ['--no-worker'],
      environment: { ...LOCAL, BITWITNESS_LISTEN: '0.0.0.0:0', BITWITNESS_MIRRORS: DEAD },
    })
    const token = await place.token()
    await using held = new AsyncDisposableStack()
    for (const [index, name] of ['bwone', 'bwtwo'].entries()) {
      const host = held.use(await NetworkNamespace.open(name, index))
      const home = path.join(folder, name)
      // The second has the builder from the coordinator, which has it from the first.
      await (index === 0 ? makeHomeLikeShared(home) : mkdir(home, { mode: 0o700 }))
      const key = (await runCli(['worker', 'key'], { home, engine })).stdout.trim().split(/\s+/).at(-1) ?? ''
      expect((await place.cli(['worker', 'add', name, key])).code).toBe(0)
      const coordinator = `http://${host.gateway}:${serve.url.port}`
      const environment = { BITWITNESS_COORDINATOR: coordinator, BITWITNESS_MIRRORS: DEAD }
      const worker = new CliProcess(['worker', '--json'], { home, engine, environment, by: host.by })
      held.defer(async () => {
        worker.child.kill('SIGTERM')
        expect((await worker.ended(60)).code).toBe(0)
      })
    }
    const byGit = await submit(serve, token, [`git+${pathToFileURL(app.repository).href}#main`, ...claims(), ...given()])
    expect([byGit.code, byGit.document?.verdict], byGit.stderr).toEqual([0, 'reproduced'])
    const byUpload = await submit(serve, token, [app.source, ...claims(), ...given(), '--attempts', '1'])
    expect([byUpload.code, byUpload.document?.verdict], byUpload.stderr).toEqual([0, 'reproduced'])

    const [second, first] = await verificationsOf(serve)
    expect([first, second].map((one) => [one?.source.kind, one?.verdict, one?.tier])).toEqual([
      ['git', 'reproduced', 'bit-exact'],
      ['archive', 'reproduced', 'bit-exact'],
    ])
    const attempts = JSON.parse((await serve.get(`/v1/verifications/${first?.id}/attempts`)).body) as {
      items: { tries: { worker: string }[] }[]
    }
    expect(new Set(attempts.items.flatMap(({ tries }) => tries.map(({ worker }) => worker))).size).toBe(2)
    await checkSigned(place, serve, first?.id ?? '')
  }, 1_200_000)
})
