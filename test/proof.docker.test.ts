import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProofCheckDocument } from '../src/app/proof-check.ts'
import type { BuildManifest } from '../verifier/model/build-manifest.ts'
import { sharedSettings, testRoom } from './shared-home.ts'

const root = path.join(import.meta.dirname, '..')
/** Nothing listens on the discard port. */
const DEAD = 'debian=http://127.0.0.1:9/debian/ debian-security=http://127.0.0.1:9/debian-security/'

let folder: string
/** Knows the builder by its exported file, and nothing else. */
let empty: string
let manifest: BuildManifest

type Ran = { readonly exit: number | undefined; readonly stdout: string; readonly stderr: string }

async function bitwitness(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  const main = path.join(root, 'src', 'bin', 'main.ts')
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...args], { cwd: folder, env, reject: false, stdin: 'ignore' })
  return { exit: exitCode, stdout, stderr }
}

async function done(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const ran = await bitwitness(args, env)
  if (ran.exit !== 0) throw new Error(`${args.join(' ')}:\n${ran.stderr}`)
  return ran.stdout
}

/** Signs a report and packs it, with everything that it takes to rebuild. */
async function packed(report: string, proof: string): Promise<void> {
  const home = (await sharedSettings()).home
  await done(['attest', report, '-o', `${proof}.d`], { BITWITNESS_HOME: path.join(folder, 'signer') })
  const bundles = ['reproduced', 'provenance'].flatMap((name) => ['--bundle', path.join(`${proof}.d`, `${name}.sigstore.json`)])
  const carried = ['--source', './recipe', '--inputs', 'published/inputs.tar', '--key', path.join(`${proof}.d`, 'key.pub')]
  await done(['export', report, ...bundles, ...carried, '-o', proof], { BITWITNESS_HOME: home })
}

/** The report, with other digests in the place of those that were built and claimed: what a signer who lies would sign. */
async function writeLie(): Promise<void> {
  const [artifact] = manifest.artifacts
  const text = await readFile(path.join(folder, 'report.json'), 'utf8')
  const lie = text.replaceAll(artifact?.sha256 ?? '-', '0'.repeat(64)).replaceAll(artifact?.oci?.manifest ?? '-', '1'.repeat(64))
  await writeFile(path.join(folder, 'lie.json'), lie)
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-proof-'))
  empty = path.join(folder, 'empty')
  const { builder } = await testRoom()
  const shared = { BITWITNESS_HOME: (await sharedSettings()).home }
  await cp(path.join(root, 'mkosi', 'corpus', 'cases', 'tar-minimal', 'recipe'), path.join(folder, 'recipe'), { recursive: true })
  await done(['build', './recipe', '--attempts', '1', '-o', 'published'], shared)
  manifest = JSON.parse(await readFile(path.join(folder, 'published', 'build-manifest.json'), 'utf8')) as BuildManifest
  const claims = manifest.artifacts.flatMap((artifact) => artifact.claims.flatMap((claim) => ['--claim', claim]))
  await done(['verify', './recipe', ...claims, '--inputs', 'published/inputs.tar', '--attempts', '1', '--report', 'report.json'], shared)
  await packed('report.json', 'good.proof')
  await writeLie()
  await packed('lie.json', 'lie.proof')
  await done(['builder', 'export', builder.digest, '-o', 'builder.tar'], shared)
  await done(['builder', 'import', 'builder.tar'], { BITWITNESS_HOME: empty })
  // The proofs are all that there is of it from here on.
  for (const name of ['recipe', 'published']) await rm(path.join(folder, name), { recursive: true })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const offline = (): Record<string, string> => ({ BITWITNESS_HOME: empty, BITWITNESS_MIRRORS: DEAD })
const from = (proof: string, ...args: readonly string[]) =>
  bitwitness(['verify', '--from', proof, '--attempts', '1', '--key', `${proof}.d/key.pub`, '--json', ...args], offline())

describe('a proof', () => {
  it('is rebuilt with no mirror and nothing else at hand, and agrees', async () => {
    const artifact = manifest.artifacts[0]
    const { exit, stdout, stderr } = await from('good.proof', '--claim', artifact?.claims[0] ?? '', '--report', 'again.json')
    expect(exit, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'bitwitness/proof-check/v1',
      verdict: 'reproduced',
      tier: 'bit-exact',
      agreement: 'agrees',
      differences: [],
      attestation: { result: 'pass' },
      builder: 'at-hand',
      proof: { source: true, inputs: true },
      report: { lock: manifest.lock?.sha256, attempts: [{ mode: 'replay', outcome: 'built', artifacts: [{ sha256: artifact?.sha256 }] }] },
    })
    // Whoever rebuilt it can say so in turn.
    await done(['attest', 'again.json', '-o', 'again'], { BITWITNESS_HOME: path.join(folder, 'witness') })
    const again = [
      'attestation',
      'verify',
      'again/reproduced.sigstore.json',
      '--digest',
      `sha256:${artifact?.sha256}`,
      '--key',
      'again/key.pub',
    ]
    expect((await bitwitness(again, {})).exit).toBe(0)
  })

  it('disagrees where what is signed as reproduced belongs to other bits', async () => {
    const [artifact] = manifest.artifacts
    const { exit, stdout, stderr } = await from('lie.proof')
    expect(exit, stderr).toBe(1)
    const document = JSON.parse(stdout) as ProofCheckDocument
    expect(document).toMatchObject({
      verdict: 'mismatch',
      agreement: 'disagrees',
      attestation: { result: 'pass' },
      proof: { verdict: 'reproduced' },
    })
    expect(document.differences).toContainEqual({ what: 'artifact', name: 'image.tar', proof: '0'.repeat(64), here: artifact?.sha256 })
  })

  it('is the same file to tar and sha256sum', async () => {
    const there = path.join(folder, 'unpacked')
    await execa('mkdir', [there])
    await execa('tar', ['-xf', 'good.proof', '-C', there], { cwd: folder })
    const { members } = JSON.parse(await readFile(path.join(there, 'proof.json'), 'utf8')) as {
      members: { path: string; sha256: string }[]
    }
    const sums = members.map(({ path: name, sha256 }) => `${sha256}  ${name}\n`).join('')
    const { stdout } = await execa('sha256sum', ['--check', '--strict'], { cwd: there, input: sums })
    expect(stdout.split('\n')).toHaveLength(members.length)
    const { stdout: found } = await execa('find', ['.', '-type', 'f'], { cwd: there })
    expect(found.split('\n')).toHaveLength(members.length + 1)
  })
})
