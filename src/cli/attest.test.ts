import { execFileSync } from 'node:child_process'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sbomOf } from '../../attestations/sbom/sbom.ts'
import { type MockSigstore, startMockSigstore } from '../../attestations/sign/testing/mock-sigstore.ts'
import { decodeStatement } from '../../attestations/statement/decode.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import type { AttestationSet } from '../app/attestation-set.ts'
import type { CliIo } from './cli-context.ts'
import { openSigning } from './open-use-cases.ts'
import { golden, type Ran, ran } from './testing/terminal.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-attest-'))
})
afterEach(() => rm(folder, { recursive: true }))

const at = (...names: string[]): string => path.join(folder, ...names)

/** Runs a command that signs, with a home of the test's own. */
function signed(args: readonly string[], environment: Record<string, string> = {}, change: Partial<CliIo> = {}): Promise<Ran> {
  const signing: CliIo['signing'] = (o) => openSigning({ BITWITNESS_HOME: at('home'), ...environment }, o)
  return ran(args, {}, { signing, ...change })
}

async function report(name: string): Promise<string> {
  const file = at(`${name}.json`)
  await writeFile(file, golden(`verification-${name}.json`))
  return file
}

const bundleOf = async (...names: string[]) => JSON.parse(await readFile(at(...names), 'utf8'))
const statementIn = (bundle: { dsseEnvelope: { payload: string } }) => decodeStatement(Buffer.from(bundle.dsseEnvelope.payload, 'base64'))

/** What both golden reports built, and what the mismatch claims. */
const BUILT = Sha256.parse('c7c5c1d70c5dec4416ab6158afd0b223ef40c29b1dc1f97ed9428b94d4cadb1c')
const CLAIMED = '4f03a060b7eb032972dcb327f2c989b14d5e73c35b3d5928a6f875ca39c159ba'

function bill(sha256: Sha256): string {
  const packages = { system: null, debian: [{ name: 'curl', version: '7.88.1-1', architecture: 'amd64' }], npm: [] }
  return sbomOf({ image: { name: 'another name', sha256, ociManifest: null }, packages, lock: null, created: 0, version: '0.1.0' })
}

describe('attest with a key', () => {
  it('signs a bill of materials as well, by the names of the report', async () => {
    await writeFile(at('bill'), bill(BUILT))
    const { exit, stdout } = await signed(['attest', await report('mismatch'), '-o', at('out'), '--sbom', at('bill'), '--json'])
    expect(exit).toBe(0)
    const { attestations } = JSON.parse(stdout) as AttestationSet
    expect(attestations.map(({ file }) => file)).toEqual(['provenance.sigstore.json', 'rebuild-result.sigstore.json', 'sbom.sigstore.json'])
    const statement = statementIn(await bundleOf('out', 'sbom.sigstore.json'))
    expect(statement.subject.map(({ name }) => name)).toEqual(['image.tar', 'image.tar.oci'])
    expect([statement.predicateType, statement.predicate]).toEqual(['https://cyclonedx.org/bom', JSON.parse(bill(BUILT))])
  })

  it('writes a bundle for each statement and the public key, and says how to check them', async () => {
    const { exit, stdout, stderr, opened } = await signed(['attest', await report('reproduced')])
    const pem = await readFile(at('reproduced.attestations', 'key.pub'), 'utf8')
    const fingerprint = createHash('sha256')
      .update(createPublicKey(pem).export({ type: 'spki', format: 'der' }))
      .digest('hex')
    const said = stdout.replaceAll(folder, '/folder').replaceAll(fingerprint, 'FINGERPRINT')
    await expect(said).toMatchFileSnapshot(path.join(import.meta.dirname, 'testdata/attest-key.txt'))
    expect([exit, stderr, opened]).toEqual([0, '', 0])
    expect((await readdir(at('reproduced.attestations'))).toSorted()).toEqual([
      'key.pub',
      'provenance.sigstore.json',
      'reproduced.sigstore.json',
    ])
    const { runDetails } = statementIn(await bundleOf('reproduced.attestations', 'provenance.sigstore.json')).predicate as {
      runDetails: { builder: { id: string } }
    }
    expect(runDetails.builder.id).toMatch(new RegExp(`^bitwitness:builder/key/${fingerprint}/shared-kernel/`))
  })

  it('says the same as one document', async () => {
    const file = await report('mismatch')
    const { exit, stdout } = await signed(['attest', file, '-o', at('out'), '--dsse', '--json'])
    expect(exit).toBe(0)
    const set = JSON.parse(stdout) as AttestationSet
    expect(Object.keys(set).slice(0, 2)).toEqual(['schema', 'verdict'])
    expect(set).toMatchObject({
      schema: 'bitwitness/attestation-set/v1',
      verdict: 'signed',
      report: {
        sha256: createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
        verdict: 'mismatch',
        tier: null,
      },
      signer: { kind: 'key', publicKey: 'key.pub' },
      trustedRoot: null,
      attestations: [
        { predicateType: 'https://slsa.dev/provenance/v1', file: 'provenance.sigstore.json', envelope: 'provenance.dsse.json' },
        { predicateType: 'bitwitness:rebuild-result/v1', file: 'rebuild-result.sigstore.json', envelope: 'rebuild-result.dsse.json' },
      ],
    })
    for (const { file: name, sha256, predicateType, envelope, subjects } of set.attestations) {
      const bundle = await bundleOf('out', name)
      expect(
        createHash('sha256')
          .update(await readFile(at('out', name)))
          .digest('hex'),
      ).toBe(sha256)
      const statement = statementIn(bundle)
      expect([statement.predicateType, statement.subject.map(({ digest }) => digest.sha256)]).toEqual([
        predicateType,
        subjects.map((one) => one.sha256),
      ])
      expect(await bundleOf('out', envelope ?? '')).toEqual({
        ...bundle.dsseEnvelope,
        signatures: [{ keyid: '', ...bundle.dsseEnvelope.signatures[0] }],
      })
    }
  })

  it('signs the same statements with a key that is given', async () => {
    await signed(['attest', await report('refused'), '-o', at('one')])
    const { stdout } = await signed(['attest', at('refused.json'), '-o', at('two'), '--key', at('home', 'keys', 'signing-key.pem')], {
      BITWITNESS_SIGNER: 'sigstore',
    })
    const key = createPublicKey(await readFile(at('one', 'key.pub')))
    const { payload, payloadType, signatures } = (await bundleOf('two', 'rebuild-result.sigstore.json')).dsseEnvelope
    const bytes = Buffer.from(payload, 'base64')
    const signedBytes = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} `), bytes])
    expect(verify('sha256', signedBytes, key, Buffer.from(signatures[0].sig, 'base64'))).toBe(true)
    expect(stdout).toContain('signed refused')
  })

  it('goes by the builder id that is set', async () => {
    await signed(['attest', await report('reproduced'), '-o', at('out')], { BITWITNESS_BUILDER_ID: 'https://witness.example/builder' })
    expect(JSON.stringify(statementIn(await bundleOf('out', 'provenance.sigstore.json')))).toContain(
      '"id":"https://witness.example/builder/shared-kernel/',
    )
  })

  it('names the owner, and does not sign for one who is the signer', async () => {
    const file = await report('reproduced')
    await signed(['attest', file, '-o', at('out'), '--owner', 'acme'])
    expect(statementIn(await bundleOf('out', 'reproduced.sigstore.json')).predicate).toMatchObject({ owner: 'acme' })
    const { stderr } = await signed(['key', 'show'])
    const refused = await signed(['attest', file, '-o', at('none'), '--owner', stderr.trim()])
    expect(refused).toMatchObject({ exit: 2, stdout: '' })
    expect(refused.stderr).toContain('(signer-is-owner)')
    expect(await readdir(folder)).not.toContain('none')
  })
})

describe('attest refuses', () => {
  const refused = async (file: string, args: readonly string[] = []): Promise<[number, string]> => {
    const { exit, stdout } = await signed(['attest', file, '-o', at('out'), '--json', ...args])
    expect(await readdir(folder)).not.toContain('out')
    return [exit, JSON.parse(stdout).code]
  }

  it('what was cancelled or stayed undecided', async () => {
    expect(await refused(await report('cancelled'))).toEqual([3, 'verdict-not-attestable'])
    const undecided = {
      ...JSON.parse(golden('verification-reproduced.json')),
      verdict: 'undecided',
      tier: null,
      attempts: [],
      comparisons: [],
    }
    await writeFile(at('undecided.json'), JSON.stringify(undecided))
    expect(await refused(at('undecided.json'))).toEqual([3, 'verdict-not-attestable'])
  })

  it('what is no report of a verification', async () => {
    const reproduced = golden('verification-reproduced.json')
    const files: Record<string, [string | Buffer, number, string]> = {
      check: [golden('check-repeatable.json'), 2, 'report-malformed'],
      empty: ['', 3, 'json-malformed'],
      cut: [reproduced.slice(0, 500), 3, 'json-malformed'],
      twice: [reproduced.replace('"verdict": "reproduced"', '"verdict": "mismatch", "verdict": "reproduced"'), 3, 'json-duplicate-key'],
      account: [reproduced.replace('"url": "https://', '"url": "https://somebody:planted@'), 2, 'report-malformed'],
      more: [reproduced.replace('"verdict"', '"more": 1, "verdict"'), 2, 'report-malformed'],
      bytes: [Buffer.of(0xff, 0xfe), 3, 'json-not-utf8'],
      large: [Buffer.alloc((16 << 20) + 1, 0x20), 3, 'json-too-large'],
    }
    for (const [name, [content, exit, code]] of Object.entries(files)) {
      await writeFile(at(name), content)
      expect([name, ...(await refused(at(name)))]).toEqual([name, exit, code])
    }
    execFileSync('mkfifo', [at('pipe')])
    for (const file of [at('absent'), folder, at('pipe'), '/dev/zero']) expect(await refused(file)).toEqual([2, 'file-unreadable'])
  })

  it('a verdict that its evidence does not bear out', async () => {
    await writeFile(at('forged.json'), golden('verification-mismatch.json').replace('"verdict": "mismatch"', '"verdict": "reproduced"'))
    expect(await refused(at('forged.json'))).toEqual([3, 'report-contradicts-itself'])
  })

  it('a lock that is none, or of another build', async () => {
    const file = await report('reproduced')
    await writeFile(at('lock'), golden('input-lock.json'))
    expect(await refused(file, ['--lock', at('lock')])).toEqual([2, 'lock-of-another-build'])
    await writeFile(at('lock'), '{}')
    expect(await refused(file, ['--lock', at('lock')])).toEqual([2, 'input-lock-malformed'])
    expect(await refused(file, ['--lock', folder])).toEqual([2, 'file-unreadable'])
  })

  it('a bill of materials that is none, or of an image that was not built', async () => {
    const file = await report('reproduced')
    await writeFile(at('bill'), bill(Sha256.parse('7'.repeat(64))))
    expect(await refused(file, ['--sbom', at('bill')])).toEqual([2, 'sbom-of-another-image'])
    await writeFile(at('bill'), '{"bomFormat":"SPDX"}')
    expect(await refused(file, ['--sbom', at('bill')])).toEqual([2, 'sbom-malformed'])
    await writeFile(at('bill'), bill(Sha256.parse(CLAIMED)))
    expect(await refused(await report('mismatch'), ['--sbom', at('bill')])).toEqual([2, 'sbom-of-another-image'])
    await writeFile(at('bill'), bill(BUILT))
    expect(await refused(await report('refused'), ['--sbom', at('bill')])).toEqual([2, 'sbom-of-another-image'])
  })

  it('a folder with something in it', async () => {
    await mkdir(at('full'))
    await writeFile(at('full', 'x'), '')
    const { exit, stderr } = await signed(['attest', await report('reproduced'), '-o', at('full')])
    expect(exit).toBe(2)
    expect(stderr).toContain('output-not-empty')
  })

  it('settings that cannot be signed with', async () => {
    const file = await report('reproduced')
    const code = async (environment: Record<string, string>, ...flags: string[]): Promise<[number, string]> => {
      const { exit, stdout } = await signed(['attest', file, '-o', at('out'), '--json', ...flags], environment)
      return [exit, JSON.parse(stdout).code]
    }
    expect(await code({ BITWITNESS_SIGNER: 'sigstore' })).toEqual([2, 'builder-id-missing'])
    expect(await code({ BITWITNESS_SIGNER: 'sigstore', BITWITNESS_REKOR_VERSION: '2' })).toEqual([2, 'setting-conflict'])
    execFileSync('mkfifo', [at('pipe')])
    for (const root of [at('absent'), at('pipe'), '/dev/zero'])
      expect(await code({ BITWITNESS_TRUSTED_ROOT: root })).toEqual([2, 'trusted-root-unreadable'])
    await writeFile(at('root.json'), '[]')
    expect(await code({ BITWITNESS_TRUSTED_ROOT: at('root.json') })).toEqual([2, 'trusted-root-malformed'])
    expect(await code({}, '--key', at('absent'))).toEqual([2, 'key-unreadable'])
    const identity = { BITWITNESS_SIGNER: 'sigstore', BITWITNESS_BUILDER_ID: 'https://witness.example/builder' }
    expect(await code(identity, '--dsse')).toEqual([2, 'envelope-without-key'])
  })
})

describe('attest through Sigstore', () => {
  let mock: MockSigstore
  let environment: Record<string, string>
  beforeEach(async () => {
    mock = await startMockSigstore()
    await writeFile(at('trusted.json'), JSON.stringify(mock.trustedRoot))
    await writeFile(at('token'), mock.token({ sub: 'https://rebuilder.mock/planted' }))
    environment = {
      BITWITNESS_SIGNER: 'sigstore',
      BITWITNESS_FULCIO_URL: mock.urls.fulcio.href,
      BITWITNESS_REKOR_URL: mock.urls.rekor2.href,
      BITWITNESS_REKOR_VERSION: '2',
      BITWITNESS_TSA_URL: mock.urls.tsa.href,
      BITWITNESS_TRUSTED_ROOT: at('trusted.json'),
      BITWITNESS_IDENTITY_TOKEN: at('token'),
      BITWITNESS_BUILDER_ID: 'https://witness.example/builder',
    }
  })
  afterEach(() => mock[Symbol.asyncDispose]())

  it('says who signed and writes the trusted root beside the bundles', async () => {
    const { exit, stdout } = await signed(['attest', await report('reproduced'), '-o', at('out')], environment)
    const said = stdout.replaceAll(folder, '/folder').replaceAll(/http:\/\/127\.0\.0\.1:\d+\/issuer/g, 'https://issuer.mock')
    await expect(said).toMatchFileSnapshot(path.join(import.meta.dirname, 'testdata/attest-sigstore.txt'))
    expect(exit).toBe(0)
    expect((await readdir(at('out'))).toSorted()).toEqual(['provenance.sigstore.json', 'reproduced.sigstore.json', 'trusted_root.json'])
    expect(await readFile(at('out', 'trusted_root.json'), 'utf8')).toBe(JSON.stringify(mock.trustedRoot))
  })

  it('does not sign for the repository whose owner it is', async () => {
    const repository = 'Acme/rebuilder'
    await writeFile(at('token'), mock.token({ repository, job_workflow_ref: `${repository}/.github/workflows/r.yml@refs/heads/main` }))
    await writeFile(
      at('own.json'),
      golden('verification-reproduced.json').replace('git.example/app/image.git', 'github.com/acme/image.git'),
    )
    const own = await signed(['attest', at('own.json'), '-o', at('out')], environment)
    expect([own.exit, own.stdout, own.stderr.includes('(signer-is-owner)')]).toEqual([2, '', true])
    expect((await signed(['attest', await report('reproduced'), '-o', at('out')], environment)).exit).toBe(0)
  })

  it('writes nothing where the second of two signatures fails', async () => {
    mock.meddle('rekor2', async ({ count }, honest) => (count === 1 ? await honest() : { status: 400, body: '' }))
    const { exit, stderr } = await signed(['attest', await report('reproduced'), '-o', at('out')], environment)
    expect([exit, stderr.includes('(rekor-refused)')]).toEqual([3, true])
    expect(await readdir(folder)).not.toContain('out')
  })

  it.each([true, false])('shows nothing of the token, whatever fails and however (debug: %s)', async (debug) => {
    const token = await readFile(at('token'), 'utf8')
    const file = await report('reproduced')
    for (const status of [201, 400])
      for (const service of ['fulcio', 'tsa', 'rekor2'] as const) {
        mock.meddle(service, ({ body }) => ({ status, type: 'application/json', body: JSON.stringify({ message: `${token} ${body}` }) }))
        const { exit, stdout, stderr } = await signed(['attest', file, '-o', at('out'), '--json'], environment, { debug })
        mock.meddle(service, null)
        expect([exit, JSON.parse(stdout).verdict]).toEqual([3, null])
        expect([...token.split('.'), 'planted'].filter((part) => (stdout + stderr).includes(part))).toEqual([])
        expect(stderr.includes('at serviceFailure')).toBe(debug)
      }
    await writeFile(at('token'), `planted.${token}`)
    const { stdout, stderr } = await signed(['attest', file, '-o', at('out'), '--json'], environment, { debug })
    expect(JSON.parse(stdout).code).toBe('identity-token-malformed')
    expect([...token.split('.'), 'planted'].filter((part) => (stdout + stderr).includes(part))).toEqual([])
  })

  it('ends where it is interrupted, whatever it waits for', async () => {
    const controller = new AbortController()
    mock.meddle('fulcio', () => {
      controller.abort()
      return 'hang'
    })
    const { exit } = await signed(['attest', await report('reproduced'), '-o', at('out')], environment, { signal: controller.signal })
    expect(exit).toBe(130)
  })
})

describe('key show', () => {
  it('shows the key, the same each time, and its fingerprint where it does not get into a file that the key is written to', async () => {
    const { exit, stdout, stderr } = await signed(['key', 'show'])
    expect(exit).toBe(0)
    expect(stdout).toMatch(/^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n$/)
    expect(stderr).toMatch(/^sha256:[0-9a-f]{64}\n$/)
    const again = JSON.parse((await signed(['key', 'show', '--json', '--key', at('home', 'keys', 'signing-key.pem')])).stdout)
    expect(again).toEqual({
      schema: 'bitwitness/key/v1',
      fingerprint: stderr.trim().slice('sha256:'.length),
      publicKey: stdout,
    })
  })

  it('has none to show where Sigstore signs', async () => {
    const { exit, stderr } = await signed(['key', 'show'], { BITWITNESS_SIGNER: 'sigstore' })
    expect([exit, stderr.includes('(signer-has-no-key)')]).toEqual([2, true])
  })
})
