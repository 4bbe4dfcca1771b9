import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bareEnvelope } from '../../attestations/sign/bundle-parts.ts'
import { openKey } from '../../attestations/sign/key-file.ts'
import { keySigner } from '../../attestations/sign/key-signer.ts'
import { type MockSigstore, startMockSigstore } from '../../attestations/sign/testing/mock-sigstore.ts'
import { ARTIFACT, statementBytes } from '../../attestations/sign/testing/statement.ts'
import { fetchedTools, NO_TOOLS } from '../../attestations/verify/testing/fetched-tools.ts'
import type { AttestationSet } from '../app/attestation-set.ts'
import { openSigning } from './open-use-cases.ts'
import { golden, ran } from './testing/terminal.ts'

const tools = fetchedTools()

let folder: string
let mock: MockSigstore
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-attest-interop-'))
  mock = await startMockSigstore()
})
afterEach(async () => {
  await mock[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** How a program ends that has no home, so that nothing of another run answers for it. */
async function ended(file: string, args: readonly string[]): Promise<{ exit: number | undefined; said: string }> {
  const env = { HOME: folder, TUF_ROOT: folder }
  const { exitCode, all } = await execa(file, args, { cwd: path.join(folder, 'out'), reject: false, timeout: 60_000, all: true, env })
  return { exit: exitCode, said: all }
}

const servers = (version: 1 | 2): Record<string, string> => ({
  BITWITNESS_SIGNER: 'sigstore',
  BITWITNESS_FULCIO_URL: mock.urls.fulcio.href,
  BITWITNESS_REKOR_URL: mock.urls[`rekor${version}`].href,
  BITWITNESS_REKOR_VERSION: String(version),
  BITWITNESS_TSA_URL: mock.urls.tsa.href,
  BITWITNESS_IDENTITY_TOKEN: path.join(folder, 'token'),
  BITWITNESS_BUILDER_ID: 'https://witness.example/builder',
})
const MODES: Readonly<Record<string, () => Record<string, string>>> = {
  'a key': () => ({}),
  'a key and a timestamp': () => ({ BITWITNESS_TSA_URL: mock.urls.tsa.href, BITWITNESS_TRUSTED_ROOT: path.join(folder, 'trusted.json') }),
  'an identity and Rekor v1': () => ({ ...servers(1), BITWITNESS_TRUSTED_ROOT: path.join(folder, 'trusted.json') }),
  'an identity and Rekor v2': () => ({ ...servers(2), BITWITNESS_TRUSTED_ROOT: path.join(folder, 'trusted.json') }),
}

describe('what attest signs with', () => {
  it.for(Object.entries(MODES))(
    '%s is checked by cosign as it says, and by sigstore-go where it can',
    async ([mode, settings], { skip }) => {
      if (tools === undefined) return skip(NO_TOOLS)
      const { cosign, sigstoreGo } = tools
      await writeFile(path.join(folder, 'trusted.json'), JSON.stringify(mock.trustedRoot))
      await writeFile(path.join(folder, 'token'), mock.token())
      await writeFile(path.join(folder, 'report.json'), golden('verification-reproduced.json'))
      const environment = { BITWITNESS_HOME: path.join(folder, 'home'), ...settings() }
      const { stdout } = await ran(
        ['attest', path.join(folder, 'report.json'), '-o', path.join(folder, 'out'), '--json'],
        {},
        {
          signing: (o) => openSigning(environment, o),
        },
      )
      const set = JSON.parse(stdout) as AttestationSet
      expect(set.attestations).toHaveLength(2)
      for (const { check, subjects, predicateType, file } of set.attestations) {
        const [, ...args] = check
        expect(await ended(cosign, args)).toMatchObject({ exit: 0 })
        const changed = (from: string, to: string): string[] => args.map((word) => (word === from ? to : word))
        expect((await ended(cosign, changed(predicateType, 'bitwitness:other/v1'))).said).toContain('invalid predicate type')
        expect(await ended(cosign, changed(subjects[0]?.sha256 ?? '', 'ab'.repeat(32)))).toMatchObject({ exit: 1 })
        const who =
          set.signer.kind === 'key'
            ? ['-publicKey', 'key.pub', '-requireCTlog=false', '-requireTlog=false']
            : ['-expectedSAN', set.signer.subjectAlternativeName, '-expectedIssuer', set.signer.issuer]
        const digest = ['-artifact-digest', subjects[0]?.sha256 ?? '', '-artifact-digest-algorithm', 'sha256']
        // Of a bundle without any time it finds nothing that it could rely on.
        if (mode === 'a key') continue
        expect(await ended(sigstoreGo, [...digest, '-trustedrootJSONpath', 'trusted_root.json', ...who, file])).toMatchObject({ exit: 0 })
      }
    },
  )

  it('a key is checked by cosign as a bare envelope too', async ({ skip }) => {
    if (tools === undefined) return skip(NO_TOOLS)
    const { cosign } = tools
    const key = await openKey(folder)
    const bundle = await keySigner(key).sign(statementBytes(), { signal: new AbortController().signal, owner: null })
    await mkdir(path.join(folder, 'out'))
    const files = { 'dsse.json': bareEnvelope(bundle), 'key.pub': key.publicKeyPem, artifact: ARTIFACT, other: 'other' }
    for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, 'out', name), content)
    const words = ['verify-blob-attestation', '--signature', 'dsse.json', '--key', 'key.pub', '--insecure-ignore-tlog']
    const type = ['--type', 'https://slsa.dev/provenance/v1']
    expect(await ended(cosign, [...words, ...type, 'artifact'])).toMatchObject({ exit: 0 })
    expect(await ended(cosign, [...words, ...type, 'other'])).toMatchObject({ exit: 1 })
  })
})
