import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { AttemptEvent } from '../../verifier/model/event.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import { Secret } from '../../verifier/model/secret.ts'
import type { VerificationAnswer } from '../client/answers.ts'
import { ApiClient } from '../client/api-client.ts'
import { type FakeService, ID, problemDocument, startFakeService, verificationOf } from '../client/testing/fake-service.ts'
import { parseTarHeaders } from '../client/testing/tar-names.ts'
import type { CliIo } from './cli-context.ts'
import { golden, type Ran, ran } from './testing/terminal.ts'

const CLAIM = `sha256:${'ab'.repeat(32)}`
const GIT = 'https://git.example/app.git#v1:image'
const PATIENCE = { timeout: 10_000, retries: 1, retryDelay: 1 }
const event: AttemptEvent = { seq: 1, attempt: 1, at: '2026-01-01T00:00:00Z', kind: 'stage-ended', stage: 'build', ms: 1500 }

let folder: string
let service: FakeService
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-submit-'))
  service = await startFakeService()
})
afterEach(async () => {
  await service[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const at = (...names: string[]): string => path.join(folder, ...names)

function submitted(args: readonly string[], change: Partial<CliIo> = {}): Promise<Ran> {
  const client: CliIo['client'] = async () =>
    new ApiClient({ server: service.url, token: async () => new Secret('TOKEN'), patience: PATIENCE })
  return ran(['submit', '--claim', CLAIM, ...args], {}, { client, ...change })
}

/** The service has given a verdict, with the golden report of that name. */
function finish(name: string, change: Partial<VerificationAnswer> = {}): VerificationReport {
  const bytes = Buffer.from(golden(`verification-${name}.json`))
  const report = VerificationReport.parse(JSON.parse(bytes.toString('utf8')))
  const digest = digestOf(bytes)
  service.blobs.set(digest, bytes)
  const { verdict, tier, claims } = report
  service.verification = verificationOf({ state: 'finished', verdict, tier, claims, report: digest, ...change })
  return report
}

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(at('app'), { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(at('app', name), content)
  return at('app')
}

describe('submit', () => {
  it('follows a verification to its end, says what came of it and how to check what was signed', async () => {
    const bundle = digestOf(Buffer.from('bundle'))
    const attestation = {
      id: ID,
      verification: ID,
      predicateType: 'bitwitness:reproduced/v1',
      bundle,
      signer: 'key',
      createdAt: '2026-01-01T00:00:00Z',
      links: { bundle: `/v1/blobs/${bundle}` },
    }
    finish('reproduced', { attestations: [attestation] })
    service.events = [event]
    const { exit, stdout, stderr } = await submitted([GIT])
    expect(exit).toBe(0)
    await expect(stdout.replaceAll(service.url.href, 'http://127.0.0.1:8080/')).toMatchFileSnapshot(
      path.join(import.meta.dirname, 'testdata/submit.txt'),
    )
    expect(stderr).toBe(`submitted ${ID}\n  ${service.url.href}v1/verifications/${ID}\nattempt 1: build took 1.5 s\n`)
    expect(service.requests).toMatchObject([
      { source: { kind: 'git', url: 'https://git.example/app.git', commit: 'v1', path: 'image' }, attempts: 2, lock: null, maxAge: null },
    ])
    expect([...service.tokens]).toEqual(['Bearer TOKEN'])
  })

  it.each([
    ['reproduced', 0],
    ['mismatch', 1],
    ['build-failed', 1],
    ['refused', 1],
  ])('prints %s with --json as one document, and exits by it', async (name, code) => {
    const report = finish(name)
    const { exit, stdout } = await submitted([GIT, '--json', '--report', at('report.json')])
    expect(exit).toBe(code)
    const document = JSON.parse(stdout) as Record<string, unknown>
    expect(Object.keys(document).slice(0, 3)).toEqual(['schema', 'verdict', 'tier'])
    expect(document).toMatchObject({ schema: 'bitwitness/submission/v1', verdict: report.verdict, joined: false, report })
    expect(await readFile(at('report.json'), 'utf8')).toBe(golden(`verification-${name}.json`))
  })

  it('exits as undecided where the source could not be had, and says why', async () => {
    service.verification = verificationOf({
      state: 'finished',
      verdict: 'undecided',
      reasons: [{ code: 'git-failed', message: 'no\u001b[2Jsuch host' }],
    })
    const { exit, stdout } = await submitted([GIT])
    expect([exit, stdout.split('\n').slice(0, 2)]).toEqual([3, ['undecided', '  git-failed: no\\u{1b}[2Jsuch host']])
  })

  it('packs a folder in canonical form, and sends only what the service lacks', async () => {
    finish('reproduced')
    const app = await folderOf({ 'mkosi.conf': '[Output]\n', b: 'B', a: 'A' })
    await writeFile(at('lock.json'), '{}')
    const args = [app, '--lock', at('lock.json')]
    const first = await submitted(args)
    expect(first.stderr).toContain('sent the source, ')
    const [request] = service.requests
    const upload = request?.source.kind === 'archive' ? service.blobs.get(request.source.sha256) : undefined
    expect(request?.source).toMatchObject({ kind: 'archive', name: 'app.tar', path: '.' })
    expect(parseTarHeaders(upload ?? Buffer.alloc(0))).toEqual(['./', './a', './b', './mkosi.conf'])
    expect(service.blobs.get(request?.lock ?? '')?.toString('utf8')).toBe('{}')
    // The same again: the same request with the same key, and nothing to send.
    const before = service.requests.length
    const second = await submitted(args)
    expect(second.stderr).not.toContain('sen')
    expect(service.requests.slice(before)).toEqual(service.requests.slice(0, 1))
    expect(new Set(service.keys).size).toBe(1)
  })

  it('sends an archive as it is, under its name', async () => {
    finish('reproduced')
    await writeFile(at('image.tar.xz'), 'any bytes')
    await submitted([`${at('image.tar.xz')}#:sub`])
    expect(service.requests[0]?.source).toMatchObject({
      kind: 'archive',
      name: 'image.tar.xz',
      path: 'sub',
      sha256: digestOf(Buffer.from('any bytes')),
    })
  })

  it('makes another key for another request', async () => {
    finish('reproduced')
    for (const more of [[], ['--attempts', '3'], ['--max-age', '1h'], ['--claimed', 'https://example.org/a.tar']])
      await submitted([GIT, ...more])
    expect(new Set(service.keys).size).toBe(4)
    expect(service.requests[3]?.claims[0]?.location).toBe('https://example.org/a.tar')
  })

  it.each([
    ['was cancelled', verificationOf({ state: 'cancelled' })],
    ['could not find out', verificationOf({ state: 'finished', verdict: 'undecided' })],
  ])('asks anew where the same request was answered before and %s', async (_, verification) => {
    service.verification = verification
    service.joined = true
    await submitted([GIT, '--no-wait'])
    expect(new Set(service.keys).size).toBe(20)
    service.joined = false
    await submitted([GIT, '--no-wait'])
    expect(service.keys.at(-1)).toBe(service.keys[0])
  })

  it('does not wait where it is not to', async () => {
    const { exit, stdout } = await submitted([GIT, '--no-wait', '--json'])
    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ verdict: null, verification: { id: ID, state: 'accepted' }, report: null })
    expect(service.asked).toEqual(['POST /v1/verifications'])
  })

  it.each([
    [[], `${ID} goes on`, 'accepted'],
    [['--cancel-on-interrupt'], `cancelled ${ID}`, 'cancelled'],
  ] as const)('that is interrupted with %j says what becomes of it', async (more, said, state) => {
    service.open = true
    service.events = [event]
    const stop = new AbortController()
    const stderr = {
      text: '',
      write(text: string): void {
        this.text += text
        if (text.includes('build took')) stop.abort()
      },
    }
    const { exit } = await submitted([GIT, ...more], { signal: stop.signal, stderr })
    expect([exit, service.verification.state]).toEqual([130, state])
    expect(stderr.text).toContain(said)
  })

  it('says what the service says, and its code', async () => {
    service.problems = [{ status: 422, body: JSON.stringify(problemDocument('callback-refused', 'not\u202e there', 'give another')) }]
    const { exit, stderr, stdout } = await submitted([GIT, '--json'])
    expect(stderr).toBe('bitwitness: not\\u{202e} there (callback-refused)\n  give another\n')
    expect([exit, JSON.parse(stdout)]).toMatchObject([2, { code: 'callback-refused' }])
  })

  it('does not send anybody to settings of this machine for what the service refuses', async () => {
    service.problems = [{ status: 422, body: JSON.stringify(problemDocument('source-host-private', 'not public', 'name another')) }]
    expect((await submitted([GIT])).stderr).toBe('bitwitness: not public (source-host-private)\n  name another\n')
  })

  it.each([
    ['a page of something else', '<html>503</html>', 'server-refused'],
    ['a code that is none', JSON.stringify(problemDocument('<b>', 'x', 'y')), 'server-refused'],
    ['nothing', '', 'server-refused'],
  ])('takes %s for no answer of a service', async (_, body, code) => {
    service.problems = [{ status: 404, body }]
    expect((await submitted([GIT])).stderr).toContain(`(${code})`)
  })

  it('takes no report whose bytes are not those of its digest', async () => {
    finish('reproduced')
    for (const digest of service.blobs.keys()) service.blobs.set(digest, Buffer.from('{}'))
    const { exit, stderr } = await submitted([GIT])
    expect([exit, stderr]).toEqual([3, expect.stringContaining('(server-answer-malformed)')])
  })

  it.each([
    ['https://git.example/app.git', 'source-revision-missing'],
    ['no-such-folder', 'source-missing'],
    ['app.zip', 'source-archive-format'],
  ])('refuses %s before it asks anybody', async (source, code) => {
    const { exit, stderr } = await submitted([source])
    expect([exit, stderr, service.asked]).toEqual([2, expect.stringContaining(`(${code})`), []])
  })
})
