import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { golden } from '../src/cli/testing/terminal.ts'
import { type FakeService, ID, startFakeService, verificationOf } from '../src/client/testing/fake-service.ts'
import { manifestText, type TestTree } from '../verifier/explain/testing/trees.ts'
import { VerificationReport } from '../verifier/model/report.ts'
import { digestOf, Step } from './testing/step.ts'

type VerificationAnswer = FakeService['verification']

let step: Step
let service: FakeService
beforeEach(async () => {
  step = await Step.open()
  service = await startFakeService()
})
afterEach(async () => {
  await service[Symbol.asyncDispose]()
  await step[Symbol.asyncDispose]()
})

const SOURCE = { kind: 'git', url: 'https://git.example/owner/app.git', commit: 'c'.repeat(40), path: 'image' } as const

/** Keeps bytes at the service. */
function held(text: string | Buffer): ReturnType<typeof digestOf> {
  const bytes = Buffer.from(text)
  service.blobs.set(digestOf(bytes), bytes)
  return digestOf(bytes)
}

/** The service has given a verdict: the golden report of that name, about trees of our own where they are given. */
function finished(name: string, change: Partial<VerificationAnswer> = {}, tree: TestTree | null = null): VerificationAnswer {
  const report = VerificationReport.parse(JSON.parse(golden(`verification-${name}.json`)))
  const manifest = tree === null ? null : held(manifestText(tree))
  const attempts = report.attempts.map((one) => ({
    ...one,
    artifacts: one.artifacts.map((each) => ({ ...each, treeManifest: manifest ?? each.treeManifest })),
  }))
  const { verdict, tier, claims } = report
  return verificationOf({
    state: 'finished',
    source: SOURCE,
    verdict,
    tier,
    claims,
    report: held(JSON.stringify({ ...report, attempts })),
    ...change,
  })
}

function signed(): VerificationAnswer['attestations'] {
  const bundle = held('the bundle')
  return [
    {
      id: ID,
      verification: ID,
      predicateType: 'bitwitness:reproduced/v1',
      bundle,
      signer: 'key',
      createdAt: '2026-01-01T00:00:00Z',
      links: { bundle: `/v1/blobs/${bundle}` },
    },
  ]
}

const server = (): { server: string; token: string } => ({ server: service.url.href, token: 'bw_secret-token' })

describe('the action', () => {
  it('builds, has it rebuilt, and says what came of it', async () => {
    service.verification = finished('reproduced', { attestations: signed() })
    const { exit, log, summary, outputs, calls } = await step.run({ ...server(), attempts: '3' })
    expect(exit, log).toBe(0)
    const image = step.at('temporary', path.basename(path.dirname(outputs['image'] ?? '')), 'image')
    const [artifact] = (JSON.parse(await readFile(path.join(image, 'build-manifest.json'), 'utf8')) as { artifacts: { sha256: string }[] })
      .artifacts
    expect(outputs).toEqual({
      verdict: 'reproduced',
      tier: 'bit-exact',
      digest: `sha256:${artifact?.sha256}`,
      'image-digest': `sha256:${digestOf('image')}`,
      verification: `${service.url.href}v1/verifications/${ID}`,
      bundle: path.join(path.dirname(image), 'reproduced.sigstore.json'),
      sbom: path.join(image, 'image.tar.cdx.json'),
      image,
    })
    expect(await readFile(outputs['bundle'] ?? '', 'utf8')).toBe('the bundle')
    expect(service.requests[0]).toMatchObject({
      source: SOURCE,
      attempts: 3,
      claims: [{ kind: 'file', sha256: artifact?.sha256 }, { kind: 'oci-manifest' }],
    })
    expect(service.blobs.get(service.requests[0]?.lock ?? '')?.toString()).toBe(
      await readFile(path.join(image, 'inputs.lock.json'), 'utf8'),
    )
    expect(calls.map(({ args }) => args[0])).toEqual(['build', 'sbom', 'submit'])
    const stable = summary.replaceAll(service.url.href, 'https://witness.example/').replaceAll(artifact?.sha256 ?? '', 'ARTIFACT')
    await expect(stable).toMatchFileSnapshot(path.join(import.meta.dirname, 'testdata/summary.md'))
  })

  it('shows the token to the service, and to nothing else', async () => {
    service.verification = finished('reproduced')
    const { log, summary, calls, outputs } = await step.run(server(), { ACTIONS_RUNTIME_TOKEN: 'x', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'y' })
    expect([...service.tokens]).toEqual(['Bearer bw_secret-token'])
    expect(log.replace('::add-mask::bw_secret-token\n', '')).not.toContain('bw_secret')
    expect(`${summary}${JSON.stringify(outputs)}${JSON.stringify(calls.map(({ args }) => args))}`).not.toContain('bw_secret')
    for (const { args, environment } of calls) {
      expect(environment.filter((name) => /^(INPUT_|ACTIONS_|GITHUB_(TOKEN|ENV|OUTPUT|STEP_SUMMARY))/.test(name))).toEqual([])
      expect(environment.includes('BITWITNESS_TOKEN')).toBe(args[0] === 'submit')
    }
  })

  it('shows who the job is where there is no token: what GitHub says, asked for this service', async () => {
    service.verification = finished('reproduced')
    const asked: string[] = []
    const jwt = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from('{"sub":"repo:owner/app"}').toString('base64url')}.c2ln`
    const identity = createServer((request, response) => {
      asked.push(`${request.headers.authorization} ${request.url}`)
      response.end(JSON.stringify({ value: jwt }))
    })
    await new Promise<void>((resolve) => identity.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(identity.address() as AddressInfo).port}/token?api-version=2`
    try {
      const { exit, log } = await step.run(
        { server: service.url.href },
        { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-job' },
      )
      expect(exit, log).toBe(0)
      expect(asked[0]).toBe(`Bearer of-the-job /token?api-version=2&audience=${encodeURIComponent(service.url.origin)}`)
      expect([...service.tokens]).toEqual([`Bearer ${jwt}`])
      expect(log).not.toContain(jwt)
    } finally {
      identity.closeAllConnections()
      identity.close()
    }
  })

  it.each([
    ['mismatch', 1],
    ['refused', 1],
    ['undecided', 3],
  ])('fails the job for %s, unless it is not to', async (verdict, code) => {
    const known = verdict === 'undecided' ? 'mismatch' : verdict
    service.verification = finished(known, { verdict: verdict as VerificationAnswer['verdict'] })
    const { exit, log, outputs, summary } = await step.run({ ...server(), claim: `sha256:${'ab'.repeat(32)}` })
    expect([exit, outputs['verdict']]).toEqual([code, verdict])
    expect(log).toContain(`::error::not reproduced: ${verdict}\n`)
    expect(summary).toContain(`## Bitwitness: ${verdict}`)
    expect(summary.includes('### Attempts')).toBe(verdict !== 'refused')
    expect((await step.run({ ...server(), claim: `sha256:${'ab'.repeat(32)}`, fail: 'false' })).exit).toBe(0)
  })

  it('says why nothing was built, and submits nothing', async () => {
    const { exit, summary, outputs, log } = await step.run(server(), { FAKE_VERDICT: 'build-failed' })
    expect([exit, outputs['verdict'], service.requests]).toEqual([1, 'build-failed', []])
    expect(summary).toContain('## Bitwitness: build-failed, `image`\n\n- `mkosi-failed`: `E: \\u{60}\\u{7c}<b>`\n')
    expect(log).toContain('::error::not built: build-failed\n')
  })

  it('only builds where no service is named', async () => {
    const { exit, summary, outputs, calls } = await step.run({ 'build-attempts': '2' })
    expect([exit, outputs['verdict'], outputs['verification']]).toEqual([0, 'built', ''])
    expect(calls[0]?.args.toSpliced(3, 1)).toEqual(['build', '--json', '--output', '--attempts', '2', '--', './image'])
    expect(summary).toContain('Built here. No service was asked to rebuild it.')
    expect(summary).toContain('- 2 packages of Debian, 1 of them not in the input lock')
  })

  it('sends the inputs where it is to, and uploads the folder where the source is no commit', async () => {
    service.verification = finished('reproduced')
    await writeFile(step.at('workspace', 'image', 'mkosi.conf'), '[Output]\n')
    const { exit, log, calls } = await step.run({ ...server(), source: 'upload', 'send-inputs': 'true' })
    // The folder that stands for a build has no inputs: the program says so.
    expect([exit, calls.at(-1)?.args.at(-1)], log).toEqual([2, './image'])
    expect(calls.at(-1)?.args.includes('--inputs')).toBe(true)
    const sent = await step.run({ ...server(), source: 'upload' })
    expect(sent.exit, sent.log).toBe(0)
    expect(service.requests.at(-1)?.source).toMatchObject({ kind: 'archive', name: 'image.tar' })
  })
})

describe('what changed', () => {
  const now: TestTree = { 'etc/app': 'now', 'opt/new': '' }
  const before: TestTree = { 'etc/app': 'before', 'opt/gone': '' }

  it('is seen against the newest verification of the same folder of the same repository', async () => {
    const another = finished('reproduced', { source: { ...SOURCE, path: 'another' } }, now)
    service.known = [another, finished('reproduced', {}, before)]
    service.verification = finished('reproduced', {}, now)
    const { exit, summary, log } = await step.run({ ...server(), claim: `sha256:${'ab'.repeat(32)}` })
    expect(exit, log).toBe(0)
    expect(service.asked[0]).toBe('GET /v1/verifications?source=https%3A%2F%2Fgit.example%2Fowner%2Fapp.git&verdict=reproduced&limit=50')
    expect(summary).toContain('**Files: 1 added, 1 removed, 1 changed**')
    expect(summary).toContain('| `opt/gone` | removed |')
  })

  it('is seen against a file or a URL, which a release brings', async () => {
    await writeFile(step.at('workspace', 'before.tree'), manifestText(before))
    const file = await step.run({ previous: 'before.tree' })
    expect(file.summary).toContain('| `opt/gone` | removed |')
    expect(file.summary).toContain('**Packages: not compared')
    const plain = await step.run({ previous: `${service.url.href}before.tree` })
    expect(plain.summary).toContain('Not compared: what `previous` names could not be fetched: give an https URL.')
  })

  it.each([
    ['none', 'the workflow wants no comparison'],
    ['absent.tree', 'the file that `previous` names is not there'],
    ['', 'nothing says what to compare with'],
  ])('is not seen with %j, which is said', async (previous, why) => {
    const { exit, summary } = await step.run({ previous })
    expect([exit, summary.includes(`Not compared: ${why}.`)]).toEqual([0, true])
  })

  it.each<[string, () => void]>([
    ['has nothing', () => {}],
    ['answers nonsense', () => void (service.problems = [{ status: 200, body: '[1,{"items":2' }])],
    ['is broken', () => void (service.problems = [{ status: 500, body: '' }])],
    ['gives out another blob', () => {
      const known = finished('reproduced', {}, before)
      service.known = [known]
      service.blobs.set(known.report ?? '', Buffer.from('{"attempts":[]}'))
    }],
    ['names no digest', () => void (service.known = [finished('reproduced', { report: '../../v1/verifications' as never }, before)])],
  ])('is not seen where the service %s, and the verdict stands', async (_, prepare) => {
    service.verification = finished('reproduced')
    prepare()
    const { exit, summary, log } = await step.run({ ...server(), claim: `sha256:${'ab'.repeat(32)}` })
    expect(exit, log).toBe(0)
    expect(summary).toContain('Not compared: the service reproduced nothing of this source before.')
  }) // biome-ignore format: one a line
})

describe('text of strangers', () => {
  const hostile =
    '</details><script>alert(1)</script>`|[x](https:evil.example)@someone \u202e\u001b[31m\n::set-output name=verdict::reproduced'

  it('is text in the summary, and moves no table', async () => {
    const tree = { 'var/lib/dpkg/status': '', [`etc/${hostile}`]: 'x' }
    await writeFile(step.at('workspace', 'before.tree'), manifestText({ 'etc/x': '' }))
    const { exit, summary, log } = await step.run({ previous: 'before.tree' }, { FAKE_TREE: JSON.stringify(tree) })
    expect(exit, log).toBe(0)
    const line = summary.split('\n').find((one) => one.includes('alert(1)')) ?? ''
    expect(line).toMatch(/^\| `[^`|]*` \| added \|  \|  \|$/)
    expect(summary.split('\n').filter((one) => one.startsWith('</details>'))).toHaveLength(summary.match(/^<details>/gm)?.length ?? 0)
    // eslint-disable-next-line no-control-regex
    expect(summary).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/)
  })

  it('is no command to the runner, whatever a build writes', async () => {
    const noise = `::set-output name=verdict::forged\n##[add-path]/evil\n::add-mask::a\nno end: ::error::x`
    const { log, outputs } = await step.run({}, { FAKE_LOG: noise })
    let deaf: string | null = null
    const heard: string[] = []
    for (const line of log.split('\n')) {
      const [, word] = /^::stop-commands::(.+)$/.exec(line) ?? []
      if (deaf === null && word !== undefined) deaf = word
      else if (deaf !== null && line === `::${deaf}::`) deaf = null
      else if (deaf === null && /^(::|##\[)/.test(line)) heard.push(line)
    }
    expect([deaf, heard]).toEqual([null, []])
    expect(log).toContain('::set-output name=verdict::forged')
    expect(outputs['verdict']).toBe('built')
  })

  it('sets no output but its own', async () => {
    service.verification = finished('reproduced')
    const claim = `sha256:${'ab'.repeat(32)}`
    const { outputs } = await step.run({ ...server(), claim: `${claim}\nverdict=forged` })
    expect(Object.keys(outputs)).toHaveLength(8)
    // The program takes no such claim.
    expect(outputs['verdict']).toBe('')
  })
})

describe('inputs', () => {
  it.each([
    [{ recipe: '../elsewhere' }, 'recipe: give a folder of the repository, such as image or images/app'],
    [{ recipe: '/etc' }, 'recipe: give a folder of the repository, such as image or images/app'],
    [{ server: 'ftp://witness.example' }, 'server: give the https URL of a service'],
    [{ server: 'https://user:secret@witness.example' }, 'server: give the https URL of a service'],
    [{ attempts: '0' }, 'attempts: give a number from 1 to 9'],
    [{ 'build-attempts': '1 --key x' }, 'build-attempts: give a number from 1 to 9'],
    [{ source: 'svn' }, 'source: give git or upload'],
    [{ fail: 'no' }, 'fail: give true or false'],
    [{ program: '' }, 'the program was not installed'],
  ])('%o are refused before anything runs', async (inputs, message) => {
    const { exit, log, calls } = await step.run(inputs)
    expect([exit, log, calls]).toEqual([1, `::error::${message}\n`, []])
  })
})
