import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PREDICATE_TYPE } from '../attestations/statement/predicate-types.ts'
import { fetchedTools, NO_TOOLS } from '../attestations/verify/testing/fetched-tools.ts'
import { cosignCommand } from '../src/app/cosign-command.ts'
import type { SubmissionDocument } from '../src/client/submission-document.ts'
import { parseSha256 } from '../verifier/model/digest.ts'
import { makeHomeLikeShared, runCli } from './cli-process.ts'
import { type PublishedApp, publishApp } from './published-app.ts'
import { ServePlace, type ServeProcess } from './serve-process.ts'
import { testRoom } from './shared-home.ts'

const SECONDS = 540
const ENGINE = process.env['DOCKER_HOST'] ?? ''

let folder: string
let app: PublishedApp
let place: ServePlace
let service: ServeProcess
let token: string

beforeAll(async () => {
  await testRoom()
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-published-'))
  app = await publishApp(folder)
  place = await ServePlace.make('pglite')
  await makeHomeLikeShared(place.home)
  // Nothing but that: what is submitted lies on this machine.
  service = await place.serve({
    engine: ENGINE,
    environment: { BITWITNESS_SOURCES_ALLOW: 'local-repositories' },
  })
  token = await place.token()
}, 900_000)
afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
})

/** Submits as somebody with neither engine nor git would, and waits for the end. */
async function submit(source: string, args: readonly string[] = []): Promise<{ code: number | null; document: SubmissionDocument }> {
  const claims = app.claims.flatMap((claim) => ['--claim', claim])
  const words = ['submit', source, ...claims, '--lock', app.lock, '--inputs', app.inputs, ...args, '--server', service.facts.url, '--json']
  const { code, stdout, stderr } = await nobody(words, { BITWITNESS_TOKEN: token, PATH: '/nowhere' })
  if (stdout === '') throw new Error(stderr)
  return { code, document: JSON.parse(stdout) as SubmissionDocument }
}

/** A command on a machine that has nothing to do with the service. */
async function nobody(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return await runCli(args, { home: path.join(folder, 'nobody'), engine: 'unix:///nowhere', environment, seconds: SECONDS })
}

const bundleOf = ({ verification }: SubmissionDocument): string =>
  verification.attestations.find(({ predicateType }) => predicateType === PREDICATE_TYPE.reproduced)?.bundle ?? ''

const REPRODUCED = { verdict: 'reproduced', tier: 'bit-exact', report: { verdict: 'reproduced' } }

describe('a service with nothing configured', () => {
  let byUpload: SubmissionDocument

  it('rebuilds what was uploaded, and signs it', async () => {
    expect(service.facts).toMatchObject({ database: 'embedded', worker: { architecture: 'amd64' }, noWorker: null })
    const { code, document } = await submit(app.source)
    expect([code, document]).toMatchObject([0, REPRODUCED])
    byUpload = document
    expect(document.report?.attempts.map(({ mode, outcome }) => [mode, outcome])).toEqual([
      ['replay', 'built'],
      ['replay', 'built'],
    ])
    expect(document.verification.attestations.map(({ predicateType }) => predicateType).toSorted()).toEqual(
      [PREDICATE_TYPE.reproduced, PREDICATE_TYPE.provenance].toSorted(),
    )
  })

  it('answers the same submission by the same verification, and another that allows it by its attempts', async () => {
    const again = await submit(app.source)
    expect([again.code, again.document]).toMatchObject([0, { ...REPRODUCED, joined: true, verification: { id: byUpload.verification.id } }])
    const { code, document } = await submit(app.source, ['--max-age', '1h'])
    expect([code, document]).toMatchObject([0, { ...REPRODUCED, joined: false, verification: { reusedFrom: byUpload.verification.id } }])
  })

  it('rebuilds a commit of a repository', async () => {
    const { code, document } = await submit(`git+file://${app.repository}#${app.commit}`)
    expect([code, document]).toMatchObject([
      0,
      { ...REPRODUCED, report: { source: { kind: 'git', commit: app.commit, ref: 'refs/heads/main' } } },
    ])
  })

  it('gives out what cosign and nobody of ours takes for true', async ({ skip }) => {
    const key = path.join(folder, 'key.pub')
    await writeFile(key, (await place.cli(['key', 'show'])).stdout)
    const url = new URL(`v1/blobs/${bundleOf(byUpload)}`, service.url)
    // As the service printed it, from where it serves it.
    const allowed = { BITWITNESS_SOURCES_ALLOW: 'plain-http private-hosts' }
    const served = await nobody(['attestation', 'verify', url.href, '--key', key, '--digest', `sha256:${app.sha256}`, '--json'], allowed)
    expect([served.code, JSON.parse(served.stdout)]).toMatchObject([0, { verdict: 'verified' }])
    const bundle = path.join(folder, 'bundle.sigstore.json')
    await writeFile(bundle, (await service.get(`v1/blobs/${bundleOf(byUpload)}`)).body)
    const tools = fetchedTools()
    if (tools === undefined) return skip(NO_TOOLS)
    const check = (sha256: string) => {
      const signer = { kind: 'key', publicKey: key, timestamped: false } as const
      const asked = { bundle, predicateType: PREDICATE_TYPE.reproduced, subject: parseSha256(sha256), signer, trustedRoot: null }
      return execa(tools.cosign, cosignCommand(asked).slice(1), { env: { HOME: folder, TUF_ROOT: folder }, reject: false })
    }
    expect((await check(app.sha256)).exitCode).toBe(0)
    expect((await check('ab'.repeat(32))).exitCode).toBe(1)
  })

  it('ends in order, and has written nothing into its log that is secret, claimed or somebody else’s', async () => {
    const metrics = (await service.get('metrics')).body
    expect(metrics).toMatch(/^bitwitness_verdicts_total\{verdict="reproduced",tier="bit-exact"\} 3$/m)
    expect(metrics).toMatch(/^bitwitness_stage_seconds_count\{stage="build",mode="replay"\} 4$/m)
    expect(JSON.parse((await service.get('readyz')).body)).toMatchObject({ ready: true, signing: { tasks: 0 }, workers: { ok: true } })
    const end = await service.end()
    expect([end.code, end.signal]).toEqual([0, null])
    const messages = service.log().map(({ msg }) => msg)
    expect(messages).toEqual(
      expect.arrayContaining(['submission accepted', 'attempt leased', 'attempt ended', 'verdict given', 'statement signed']),
    )
    const key = await readFile(path.join(place.home, 'keys', 'signing-key.pem'), 'utf8')
    const secrets = [token, ...key.split('\n').filter((line) => line.length > 40)]
    for (const text of [...secrets, app.sha256, app.repository, 'express', 'mkosi', 'publisher']) expect(end.stderr).not.toContain(text)
  })
})
