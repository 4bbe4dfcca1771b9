import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publicGoodSnapshot } from '../../attestations/verify/public-good.ts'
import { ARTIFACT, type CaseWorld, caseWorld, DIGEST, pemOf } from '../../attestations/verify/testing/case-world.ts'
import { SIGNER } from '../../attestations/verify/testing/paper-sigstore.ts'
import { parseTrustedRoot } from '../../attestations/verify/trusted-root.ts'
import type { VerifyAttestationPorts } from '../app/verify-attestation.ts'
import { redirecting, serveFiles } from '../download/testing/file-server.ts'
import { openVerifying } from './open-use-cases.ts'
import { ran } from './testing/terminal.ts'

let folder: string
let world: CaseWorld
const at = (name: string): string => path.join(folder, name)
const put = async (name: string, content: unknown): Promise<string> => {
  await writeFile(at(name), typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content))
  return at(name)
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-attestation-'))
  world = await caseWorld()
  execFileSync('mkfifo', [at('pipe')])
  await put('artifact', ARTIFACT)
  await put('root.json', world.sigstore.root())
  await put('key.pub', pemOf(world.key))
  await put('other.pub', pemOf(world.otherKey))
  await put('keyless.json', await world.keyless())
  await put('keyed.json', await world.keyed())
})
afterAll(() => rm(folder, { recursive: true }))

const certificate = (): string[] => [
  '--certificate-identity',
  SIGNER.subjectAlternativeName,
  '--certificate-oidc-issuer',
  SIGNER.issuer,
  '--trusted-root',
  at('root.json'),
]
const digest = ['--digest', `sha256:${DIGEST}`]
const verify = (...args: readonly string[]) => ran(['attestation', 'verify', ...args])
const codeOf = (json: string): unknown => (JSON.parse(json) as { code: unknown }).code

describe('attestation verify', () => {
  it('says yes, who signed and what was looked at, and opens nothing', async () => {
    const { exit, stdout, stderr, opened } = await verify(at('keyless.json'), '--artifact', at('artifact'), ...certificate())
    expect([exit, stderr, opened]).toEqual([0, '', 0])
    expect(stdout.replace(/sha256:[0-9a-f]{64}/g, 'sha256:…').replace(/\d{4}-\S+Z/, 'TIME')).toBe(
      [
        'verified',
        '  bitwitness:reproduced/v1 about sha256:…',
        '',
        'bundle sha256:…',
        '  signed by https://witness.example/rebuilders/alpha, for whom https://issuer.example vouched',
        '  before TIME, as others say',
        '  pass  bundle          it is a well-formed Sigstore bundle',
        '  pass  envelope        it holds one statement with one signature',
        '  pass  signer          it is for who was asked for',
        '  pass  signature       the signature fits what is signed',
        '  pass  certificate     it comes from a trusted authority and was valid when it was signed',
        '  pass  time            every timestamp and log time is from a trusted authority',
        '  pass  log             every log entry is about this signature and provably in its log',
        '  pass  statement       it is an in-toto statement that can be read in one way only',
        '  pass  predicate-type  it is of the kind that was asked for',
        '  pass  subject         it is about this artifact, by its sha256',
        '  pass  predicate       it says what its kind stands for',
        '  skip  age             no limit was asked for',
        '',
      ].join('\n'),
    )
  })

  it('says no in one line, with what to do', async () => {
    const { exit, stdout } = await verify(at('keyed.json'), ...digest, '--key', at('other.pub'))
    expect([exit, stdout.split('\n').slice(0, 2)]).toEqual([
      1,
      [
        'rejected: it is signed with a key that is none of those that were given (key-unknown)',
        '  compare fingerprints with the signer, out of band',
      ],
    ])
  })

  it('prints one document with --json, which says what was asked', async () => {
    const { exit, stdout } = await verify(at('keyless.json'), ...digest, ...certificate(), '--max-age', '1h', '--json')
    const document = JSON.parse(stdout)
    expect([exit, ...Object.keys(document).slice(0, 3)]).toEqual([1, 'schema', 'verdict', 'code'])
    expect(document).toMatchObject({
      schema: 'bitwitness/attestation-check/v1',
      verdict: 'rejected',
      code: 'statement-expired',
      asked: {
        artifact: DIGEST,
        predicateType: 'bitwitness:reproduced/v1',
        signer: { kind: 'certificate', ...SIGNER },
        maxAgeSeconds: 3600,
      },
      trustedRoot: { origin: 'file' },
      bundles: [{ verdict: 'rejected', statement: null }],
    })
  })

  it('takes one bundle of several, and tells of the others', async () => {
    const bundles = [await world.keyless({ statement: Buffer.from('{}') }), await world.keyless(), await world.keyed()]
    const file = await put('several.jsonl', bundles.map((bundle) => JSON.stringify(bundle)).join('\n'))
    const { exit, stdout } = await verify(file, ...digest, ...certificate())
    expect([exit, stdout.split('\n').at(-2)]).toEqual([0, '2 other bundles beside it: not verified, which takes nothing from it'])
    // Of several that are none, that of the right kind which came furthest is told first.
    const { stdout: json } = await verify(file, ...digest, ...certificate(), '--max-age', '1s', '--json')
    expect(codeOf(json)).toBe('statement-expired')
    expect(JSON.parse(json).bundles.map((one: { code: string }) => one.code)).toEqual([
      'statement-type-unknown',
      'statement-expired',
      'signer-kind-wrong',
    ])
  })

  it('takes kinds by short names and by URI', async () => {
    const file = await put('provenance.json', await world.keyed({ statement: Buffer.from(JSON.stringify(world.statements.provenance)) }))
    const of = async (...args: readonly string[]) => (await verify(file, ...digest, '--key', at('key.pub'), ...args)).exit
    expect([
      await of('--type', 'provenance'),
      await of('--type', 'https://slsa.dev/provenance/v1'),
      await of(),
      await of('--type', 'vsa'),
    ]).toEqual([0, 0, 1, 1])
  })

  it('asks for as many witnesses as it is told to', async () => {
    const more = async (...args: readonly string[]) =>
      codeOf((await verify(at('keyless.json'), ...digest, ...certificate(), ...args, '--json')).stdout)
    expect([
      await more('--times', '3'),
      await more('--log-entries', '2'),
      await more('--certificate-timestamps', '2'),
      await more('--log-entries', '0'),
    ]).toEqual(['timestamp-missing', 'log-entry-missing', 'certificate-timestamp-missing', null])
    const key = await verify(at('keyed.json'), ...digest, '--key', at('key.pub'), '--times', '1', '--json')
    expect([key.exit, codeOf(key.stdout)]).toEqual([1, 'timestamp-missing'])
  })

  it('takes the public instance as it comes with the program where no root is given', async () => {
    const { stdout } = await verify(at('keyless.json'), ...digest, ...certificate().slice(0, 4), '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      code: 'log-unknown',
      trustedRoot: { origin: 'snapshot', sha256: publicGoodSnapshot().sha256 },
    })
  })

  it('shows nothing of a bundle that moves a terminal', async () => {
    const file = await put('odd.json', `{"mediaType":"\\u001b[2J"}`)
    const { stdout } = await verify(file, ...digest, '--key', at('key.pub'))
    expect(stdout).not.toContain('\u001b')
  })
})

describe('what is asked is wrong: attestation verify', () => {
  it.each([
    ['no signer', [...digest], 'policy-identity-missing'],
    ['a name without its issuer', [...digest, '--certificate-identity', 'x'], 'policy-identity-missing'],
    ['an issuer without a name', [...digest, '--certificate-oidc-issuer', 'x'], 'policy-identity-missing'],
    ['an empty name', [...digest, '--certificate-identity', '', '--certificate-oidc-issuer', 'x'], 'policy-identity-missing'],
    [
      'a name and a pattern',
      [...digest, '--certificate-identity', 'x', '--certificate-identity-pattern', 'x', '--certificate-oidc-issuer', 'x'],
      'signer-ambiguous',
    ],
    ['a name and a key', [...digest, '--certificate-identity', 'x', '--certificate-oidc-issuer', 'x', '--key', 'KEY'], 'signer-ambiguous'],
    ['no artifact', ['--key', 'KEY'], 'artifact-missing'],
    ['two artifacts', [...digest, '--artifact', 'x', '--key', 'KEY'], 'artifact-ambiguous'],
    ['two roots', [...digest, '--key', 'KEY', '--trusted-root', 'x', '--refresh-trusted-root'], 'trusted-root-ambiguous'],
    [
      'a certificate without a time',
      [...digest, '--certificate-identity', 'x', '--certificate-oidc-issuer', 'x', '--times', '0'],
      'policy-time-needed',
    ],
    ['a root that is none', [...digest, '--key', 'KEY', '--trusted-root', 'KEY'], 'trusted-root-malformed'],
    ['a root that is not there', [...digest, '--key', 'KEY', '--trusted-root', 'absent'], 'file-unreadable'],
    ['a root that is a pipe', [...digest, '--key', 'KEY', '--trusted-root', 'PIPE'], 'file-unreadable'],
    ['a key that is not there', [...digest, '--key', 'absent'], 'file-unreadable'],
    ['an artifact that is a pipe', ['--artifact', 'PIPE', '--key', 'KEY'], 'file-unreadable'],
    ['a key that is a pipe', [...digest, '--key', 'PIPE'], 'file-unreadable'],
    ['a key that is a device', [...digest, '--key', '/dev/zero'], 'file-unreadable'],
    ['a key that is none', [...digest, '--key', 'ARTIFACT'], 'public-key-malformed'],
    ['an artifact that is not there', ['--artifact', 'absent', '--key', 'KEY'], 'file-unreadable'],
  ])('with %s ends with 2', async (_, args, code) => {
    const files: Readonly<Record<string, string>> = { KEY: at('key.pub'), ARTIFACT: at('artifact'), PIPE: at('pipe') }
    const { exit, stdout } = await verify(at('keyed.json'), ...args.map((word) => files[word] ?? word), '--json')
    expect([exit, codeOf(stdout)]).toEqual([2, code])
  })

  it.each([
    ['a bundle that is not there', 'absent', 2, 'file-unreadable'],
    ['a bundle that is a pipe', 'PIPE', 2, 'file-unreadable'],
    ['a bundle that is a folder', '.', 2, 'file-unreadable'],
    ['a digest in place of a bundle', `sha256:${DIGEST}`, 2, 'usage'],
    ['a URL without TLS', 'http://witness.example/bundles', 2, 'download-plain-http'],
    ['a URL of this machine', 'https://localhost/bundles', 3, 'download-host-private'],
  ])('with %s says so', async (_, source, exit, code) => {
    const answer = await verify(source === 'PIPE' ? at('pipe') : source, ...digest, '--key', at('key.pub'), '--json')
    expect([answer.exit, codeOf(answer.stdout)]).toEqual([exit, code])
  })
})

it('bundles behind a URL are fetched and verified, where the settings allow its host, up to a size', async () => {
  const keyed = await readFile(at('keyed.json'))
  await using server = await serveFiles((request, response) => {
    if (request.url === '/moved') redirecting('/bundles')(request, response)
    else response.end(request.url === '/more' ? Buffer.alloc((64 << 20) + 1) : keyed)
  })
  const asked = async (path: string, environment: Record<string, string>): Promise<unknown> => {
    const url = `http://127.0.0.1:${server.port}${path}`
    const verifying = () => openVerifying(environment)
    const { exit, stdout } = await ran(['attestation', 'verify', url, ...digest, '--key', at('key.pub'), '--json'], {}, { verifying })
    return [exit, codeOf(stdout)]
  }
  const allowed = { BITWITNESS_SOURCES_ALLOW: 'plain-http private-hosts' }
  expect(await asked('/moved', allowed)).toEqual([0, null])
  expect(await asked('/bundles', { BITWITNESS_SOURCES_ALLOW: 'plain-http' })).toEqual([3, 'download-host-private'])
  expect(await asked('/more', allowed)).toEqual([3, 'download-size-limit'])
  expect(server.requests.map(({ path }) => path)).toEqual(['/moved', '/bundles', '/more'])
})

describe('bundles beside an image', () => {
  const image = `registry.example/app@sha256:${DIGEST}`
  const from = (bundlesOf: VerifyAttestationPorts['bundlesOf'], ...args: readonly string[]) =>
    ran(
      ['attestation', 'verify', image, '--key', at('key.pub'), ...args],
      {},
      {
        verifying: () =>
          Promise.resolve({
            now: () => new Date(),
            trustedRoot: () =>
              Promise.resolve({ origin: 'file', root: parseTrustedRoot(Buffer.from(JSON.stringify(world.sigstore.root()))) }),
            bundlesOf,
            fetchDocument: () => Promise.reject(new Error('the test has no URL')),
          }),
      },
    )
  const none = { bundles: [], skipped: [], truncated: false }

  it('are about the digest that the image is named by', async () => {
    const asked: string[] = []
    const bundle = Buffer.from(JSON.stringify(await world.keyed()))
    const { exit, stdout } = await from((name) => {
      asked.push(`${name.registry}/${name.repository}@sha256:${name.digest}`)
      return Promise.resolve({ ...none, bundles: [Buffer.from('junk'), bundle] })
    }, '--json')
    expect([exit, asked, JSON.parse(stdout).asked.artifact]).toEqual([0, [image], DIGEST])
  })

  it('are missing where there are none, which is no yes', async () => {
    const { exit, stdout } = await from(() => Promise.resolve(none), '--json')
    expect([exit, codeOf(stdout)]).toEqual([1, 'attestation-missing'])
  })

  it('are told also where they could not be had, or are too many', async () => {
    const skipped = [{ manifest: DIGEST, code: 'attached-bundle-malformed' }]
    const { stdout } = await from(() => Promise.resolve({ bundles: [], skipped, truncated: true }))
    expect(stdout.split('\n').slice(-3)).toEqual([
      `skip  sha256:${DIGEST}  listed as a bundle, and could not be had (attached-bundle-malformed)`,
      'skip  more is attached than was looked at',
      '',
    ])
  })

  it('are about nothing else that a flag names', async () => {
    expect(codeOf((await from(() => Promise.resolve(none), ...digest, '--json')).stdout)).toBe('artifact-ambiguous')
  })
})
