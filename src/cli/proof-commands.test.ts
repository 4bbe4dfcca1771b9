import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { caseWorld, pemOf } from '../../attestations/verify/testing/case-world.ts'
import type { ExportProofCommand } from '../app/export-proof.ts'
import { ExportReport } from '../app/export-report.ts'
import { ProofCheckDocument } from '../app/proof-check.ts'
import type { VerifyProofCommand } from '../app/verify-proof.ts'
import { openVerifying } from './open-use-cases.ts'
import { golden, type Ran, ran } from './testing/terminal.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-proof-commands-'))
})
afterAll(() => rm(folder, { recursive: true }))

const page = (name: string): string => path.join(import.meta.dirname, 'testdata', `${name}.txt`)
const digest = (digit: string): string => digit.repeat(64)

describe('export', () => {
  const subjects = [{ name: 'image\u001b.tar', sha256: digest('a') }]
  const about = { predicateType: 'bitwitness:reproduced/v1', subjects }
  const exported = ExportReport.parse({
    schema: 'bitwitness/export-report/v1',
    verdict: 'exported',
    sha256: digest('1'),
    size: 61440,
    report: { sha256: digest('2'), verdict: 'reproduced', tier: 'bit-exact' },
    members: [
      { role: 'instructions', path: 'CHECK.md', sha256: digest('3'), size: 3000 },
      { role: 'report', path: 'report.json', sha256: digest('2'), size: 9000 },
      { role: 'bundle', path: 'attestations/reproduced.sigstore.json', sha256: digest('4'), size: 6000, ...about },
      { role: 'statement', path: 'attestations/reproduced.statement.json', sha256: digest('5'), size: 4000, ...about },
    ],
    leftOut: ['source', 'inputs', 'tree-manifest'],
  })

  it('hands on what the command line says, and says what is in the file and what is not', async () => {
    const seen: Partial<ExportProofCommand>[] = []
    const useCases = { exportProof: (command: ExportProofCommand) => Promise.resolve(seen.push(command)).then(() => exported) }
    const flags = '--key k.pub --trusted-root r.json --source ./app --inputs i.tar --lock l.json --sbom s.json'.split(' ')
    const people = await ran(['export', 'report.json', '--bundle', 'a', '--bundle', 'b', '-o', 'image.proof', ...flags], useCases)
    await expect(people.stdout).toMatchFileSnapshot(page('export'))
    expect([people.exit, people.stderr]).toEqual([0, ''])
    const machine = await ran(['export', 'report.json', '--bundle', 'a', '--output', 'image.proof', '--json'], useCases)
    expect(JSON.parse(machine.stdout)).toEqual(exported)
    expect(seen.map(({ signal, ...command }) => (signal === undefined ? [] : command))).toEqual([
      {
        report: 'report.json',
        bundles: ['a', 'b'],
        publicKey: 'k.pub',
        trustedRoot: 'r.json',
        lock: 'l.json',
        sbom: 's.json',
        inputs: 'i.tar',
        source: './app',
        output: 'image.proof',
      },
      {
        report: 'report.json',
        bundles: ['a'],
        publicKey: null,
        trustedRoot: null,
        lock: null,
        sbom: null,
        inputs: null,
        source: null,
        output: 'image.proof',
      },
    ])
  })

  it.each([
    ['no bundle', ['-o', 'x']],
    ['no output', ['--bundle', 'x']],
  ])('with %s ends with 2 before anything is opened', async (_, flags) => {
    expect(await ran(['export', 'report.json', ...flags])).toMatchObject({ exit: 2, stdout: '', opened: 0 })
  })
})

describe('verify --from', () => {
  const base = {
    schema: 'bitwitness/proof-check/v1',
    tier: null,
    differences: [],
    proof: { sha256: digest('1'), size: 61440, report: digest('2'), verdict: 'reproduced', tier: 'bit-exact', source: true, inputs: false },
    attestation: { result: 'skip', message: 'nobody said who must have signed: what the proof says is nobody’s word', check: null },
    builder: 'at-hand',
  }
  const own = (name: string): unknown => JSON.parse(golden(`verification-${name}.json`))
  const check = {
    schema: 'bitwitness/attestation-check/v1',
    verdict: 'verified',
    code: null,
    message: 'every check that was asked for passed',
    hint: null,
    asked: {
      artifact: digest('a'),
      predicateType: 'bitwitness:reproduced/v1',
      signer: { kind: 'key', fingerprints: [digest('f')] },
      thresholds: { logEntries: 0, times: 0, certificateTimestamps: 1 },
      maxAgeSeconds: null,
    },
    trustedRoot: { origin: 'snapshot', sha256: digest('e') },
    bundles: [
      {
        sha256: digest('4'),
        verdict: 'verified',
        code: null,
        message: 'every check that was asked for passed',
        checks: [],
        statement: null,
        signer: { kind: 'key', fingerprint: digest('f') },
        signedAt: null,
      },
    ],
    skipped: [],
    truncated: false,
  }
  const rejected = {
    ...check,
    verdict: 'rejected',
    code: 'key-unknown',
    message: 'it is signed with a key that is none of those that were given',
    hint: 'compare fingerprints with the signer, out of band',
    bundles: [],
  }
  const answers: Readonly<Record<string, [exit: number, document: ProofCheckDocument]>> = {
    agrees: [
      0,
      ProofCheckDocument.parse({
        ...base,
        verdict: 'reproduced',
        tier: 'bit-exact',
        agreement: 'agrees',
        attestation: { result: 'pass', message: check.message, check },
        report: own('reproduced'),
      }),
    ],
    disagrees: [
      1,
      ProofCheckDocument.parse({
        ...base,
        verdict: 'mismatch',
        agreement: 'disagrees',
        differences: [
          { what: 'verdict', name: null, proof: 'reproduced', here: 'mismatch' },
          { what: 'tier', name: null, proof: 'bit-exact', here: null },
          { what: 'artifact', name: 'image\u001b.tar', proof: digest('a'), here: digest('b') },
        ],
        report: own('mismatch'),
      }),
    ],
    cancelled: [130, ProofCheckDocument.parse({ ...base, verdict: null, agreement: 'unknown', report: own('cancelled') })],
    rejected: [
      1,
      ProofCheckDocument.parse({
        ...base,
        verdict: 'rejected',
        agreement: 'unknown',
        attestation: { result: 'fail', message: rejected.message, check: rejected },
        builder: null,
        report: null,
      }),
    ],
  }

  function from(document: ProofCheckDocument, args: readonly string[] = [], seen: VerifyProofCommand[] = []): Promise<Ran> {
    return ran(['verify', '--from', 'image.proof', ...args], {
      verifyProof: (command) => Promise.resolve(seen.push(command)).then(() => document),
    })
  }

  it.each(Object.keys(answers))('says what it comes to: %s', async (name) => {
    const [exit, document] = answers[name] ?? []
    if (document === undefined) throw new Error('there is an answer')
    const people = await from(document)
    await expect(people.stdout).toMatchFileSnapshot(page(`proof-check-${name}`))
    expect([people.exit, people.stderr]).toEqual([exit, ''])
    const machine = await from(document, ['--json'])
    expect([machine.exit, JSON.parse(machine.stdout)]).toEqual([exit, document])
    expect(Object.keys(JSON.parse(machine.stdout)).slice(0, 2)).toEqual(['schema', 'verdict'])
  })

  it('a rebuild that is one and not what the proof says is a no', async () => {
    const [, document] = answers['agrees'] ?? []
    if (document === undefined) throw new Error('there is an answer')
    expect((await from({ ...document, agreement: 'disagrees' })).exit).toBe(1)
    expect((await from({ ...document, verdict: 'undecided', agreement: 'unknown' })).exit).toBe(3)
  })

  it('hands on what the command line says', async () => {
    const [, document] = answers['agrees'] ?? []
    if (document === undefined) throw new Error('there is an answer')
    const seen: VerifyProofCommand[] = []
    const key = path.join(folder, 'key.pub')
    await writeFile(key, 'a key')
    const flags = [
      '--attempts',
      '3',
      '--inputs',
      'i.tar',
      '--claimed',
      'c.tar',
      '--claim',
      `sha256:${digest('a')}`,
      '--key',
      key,
      '--max-age',
      '7d',
      './app',
    ]
    const report = path.join(folder, 'own.json')
    await from(document, [...flags, '--report', report], seen)
    await from(document, ['--certificate-identity', 'a', '--certificate-oidc-issuer', 'b', '--trusted-root', 'r', '--times', '2'], seen)
    await from(document, [], seen)
    expect(seen.map(({ emit, signal, ...command }) => (signal.aborted ? emit : command))).toMatchObject([
      {
        proof: 'image.proof',
        source: './app',
        attempts: 3,
        inputs: 'i.tar',
        claimed: 'c.tar',
        claims: [{ kind: 'file', sha256: digest('a') }],
        signer: {
          policy: { signer: { kind: 'key', publicKeys: ['a key'] }, maxAgeSeconds: 604_800 },
          trustedRoot: { file: null, refresh: false },
        },
      },
      {
        source: null,
        signer: {
          policy: { signer: { kind: 'certificate', subjectAlternativeName: 'a', issuer: 'b' }, thresholds: { times: 2 } },
          trustedRoot: { file: 'r' },
        },
      },
      { source: null, lock: null, inputs: null, builder: null, snapshot: null, claims: [], claimed: null, signer: null },
    ])
    // What can be attested in its turn is the rebuild's own report.
    expect(JSON.parse(await readFile(report, 'utf8'))).toEqual(document.report)
  })

  it.each([
    ['nothing to rebuild', [], 'source-not-given'],
    ['a signer and no proof', ['./app', '--claim', `sha256:${digest('a')}`, '--key', 'x'], 'flag-without-proof'],
    ['a trusted root and no proof', ['./app', '--claim', `sha256:${digest('a')}`, '--refresh-trusted-root'], 'flag-without-proof'],
    ['half a signer', ['--from', 'x', '--certificate-identity', 'a'], 'policy-identity-missing'],
    ['two signers', ['--from', 'x', '--certificate-identity', 'a', '--certificate-oidc-issuer', 'b', '--key', 'x'], 'signer-ambiguous'],
    ['a root and no signer', ['--from', 'x', '--trusted-root', 'r'], 'policy-identity-missing'],
    ['a key that is not there', ['--from', 'x', '--key', '/absent'], 'file-unreadable'],
  ])('with %s ends with 2 before anything is opened', async (_, args, code) => {
    const { exit, stdout, opened } = await ran(['verify', ...args, '--json'])
    expect([exit, (JSON.parse(stdout) as { code: string }).code, opened]).toEqual([2, code, 0])
  })
})

describe('attestation verify', () => {
  const proof = path.join(import.meta.dirname, '../../attestations/testdata/reproduced.proof.tar')
  const digestFlag = ['--digest', 'sha256:c7c5c1d70c5dec4416ab6158afd0b223ef40c29b1dc1f97ed9428b94d4cadb1c']

  it('takes the bundles of a proof, and not its key for the one to trust', async () => {
    const world = await caseWorld()
    const key = path.join(folder, 'key.pub')
    await writeFile(key, pemOf(world.key))
    const { exit, stdout } = await ran(['attestation', 'verify', proof, ...digestFlag, '--key', key, '--json'])
    const { code, bundles } = JSON.parse(stdout) as { code: string; bundles: unknown[] }
    expect([exit, code, bundles.length]).toEqual([1, 'key-unknown', 3])
    expect((await ran(['attestation', 'verify', proof, ...digestFlag])).exit).toBe(2)
  })

  it('says what is wrong with a proof that is none', async () => {
    const bytes = await readFile(proof)
    bytes[bytes.length - 1] = 1
    await writeFile(path.join(folder, 'other.proof'), bytes)
    const { exit, stdout } = await ran([
      'attestation',
      'verify',
      path.join(folder, 'other.proof'),
      ...digestFlag,
      '--key',
      await aKey(),
      '--json',
    ])
    expect([exit, (JSON.parse(stdout) as { code: string }).code]).toEqual([3, 'tar-trailing-data'])
  })

  it('takes one from a URL', async () => {
    const bytes = await readFile(proof)
    const attestations = { ...(await openVerifying({})), fetchDocument: () => Promise.resolve(bytes) }
    const args = ['attestation', 'verify', 'https://host.example/image.proof', ...digestFlag, '--key', await aKey(), '--json']
    const { exit, stdout } = await ran(args, {}, { verifying: () => Promise.resolve(attestations) })
    expect([exit, (JSON.parse(stdout) as { code: string }).code]).toEqual([1, 'key-unknown'])
  })
})

async function aKey(): Promise<string> {
  const file = path.join(folder, 'a.pub')
  await writeFile(file, pemOf((await caseWorld()).key))
  return file
}
