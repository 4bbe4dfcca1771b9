import { generateKeyPairSync } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CarriedMember } from '../../attestations/proof/proof.ts'
import { readProof } from '../../attestations/proof/read-proof.ts'
import { bundlesOfReport, LOCK_TEXT, MANIFEST, proofWorld } from '../../attestations/proof/testing/proof-world.ts'
import { isSignedBy } from '../../attestations/verify/signed-by.ts'
import { caseWorld, pemOf } from '../../attestations/verify/testing/case-world.ts'
import { writeInputsArchive } from '../../verifier/builder/inputs/inputs-archive.ts'
import { parseLock } from '../../verifier/builder/inputs/parse-lock.ts'
import { type MemoryBlobs, memoryBlobs } from '../../verifier/builder/inputs/testing/memory-blobs.ts'
import { smallBuilder } from '../../verifier/builder/testing/small-builder.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { encodeDocument } from '../../verifier/model/document.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { encodeLock } from '../../verifier/model/lock.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import { pinSource } from '../../verifier/source/pin-source.ts'
import { OWN_ACCESS, parseSourceRef } from '../../verifier/source/source-ref.ts'
import { type ExportProofCommand, type ExportProofPorts, exportProof } from './export-proof.ts'

const { signal } = new AbortController()
let folder: string
let blobs: MemoryBlobs
let command: ExportProofCommand

const at = (...names: string[]): string => path.join(folder, ...names)
const put = async (name: string, bytes: Uint8Array | string): Promise<string> => {
  await writeFile(at(name), bytes)
  return at(name)
}
async function* once(bytes: Uint8Array | string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(bytes)
}
const pin: ExportProofPorts['pin'] = (source, scratch, stop) =>
  pinSource(parseSourceRef(source), { scratch, signal: stop, access: OWN_ACCESS })

async function ports(): Promise<ExportProofPorts> {
  const { builder } = await smallBuilder()
  return {
    blobs,
    scratch: async () => {
      await mkdir(at('scratch'))
      return { path: at('scratch'), [Symbol.asyncDispose]: () => rm(at('scratch'), { recursive: true }) }
    },
    knownBuilder: (digest) =>
      digest === builder.digest
        ? Promise.resolve(builder)
        : Promise.reject(new Failure({ code: 'builder-unknown', message: '', hint: '' })),
    pin,
  }
}

const run = async (change: Partial<ExportProofCommand> = {}) => exportProof(await ports(), { ...command, ...change })

async function readBack() {
  const carried = new Map<string, Buffer>()
  const { proof } = await readProof(createReadStream(command.output), {
    carry: async ({ role }: CarriedMember, bytes) => {
      carried.set(role, Buffer.concat(await Array.fromAsync(bytes, (part) => Buffer.from(part))))
    },
  })
  return { proof, carried }
}

/** A report of the recipe in the folder, stored as it is where it was verified. */
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-export-'))
  await mkdir(at('recipe'))
  await put('recipe/mkosi.conf', '[Distribution]\nDistribution=custom\n')
  await using pinned = await pin(at('recipe'), folder, signal)
  const { content } = await proofWorld((report) => ({ ...report, source: pinned.pinned }))
  blobs = memoryBlobs()
  for (const bytes of [LOCK_TEXT, MANIFEST, encodeLock((await smallBuilder()).lock)]) await blobs.put(once(bytes))
  const [provenance = Buffer.alloc(0), reproduced = Buffer.alloc(0)] = content.bundles
  command = {
    report: await put('report.json', content.report),
    bundles: [await put('one.sigstore.json', reproduced), await put('two.sigstore.json', provenance)],
    publicKey: null,
    trustedRoot: null,
    lock: null,
    sbom: await put('bill.json', content.sbom ?? ''),
    inputs: null,
    source: null,
    output: at('image.proof'),
    signal,
  }
})
afterEach(() => rm(folder, { recursive: true }))

describe('a proof', () => {
  it('has what was given and what was stored, and says what it lacks', async () => {
    const exported = await run()
    const { proof, carried } = await readBack()
    expect(exported).toMatchObject({
      verdict: 'exported',
      sha256: digestOf(await readFile(command.output)),
      report: { sha256: digestOf(await readFile(command.report)), verdict: 'reproduced', tier: 'bit-exact' },
      leftOut: ['source', 'inputs'],
    })
    expect(exported.members.map(({ path: name }) => name)).toEqual([
      'CHECK.md',
      'report.json',
      'attestations/reproduced.sigstore.json',
      'attestations/reproduced.statement.json',
      'attestations/provenance.sigstore.json',
      'attestations/provenance.statement.json',
      'inputs.lock.json',
      'builder.json',
      'builder.lock.json',
      'sbom.cdx.json',
      `manifests/${digestOf(MANIFEST)}.txt`,
    ])
    expect(proof.reportDigest).toBe(exported.report.sha256)
    expect(carried.get('tree-manifest')?.equals(MANIFEST)).toBe(true)
    expect(await readdir(folder)).not.toContain('scratch')
  })

  it('is the same when it is written again, and takes the place of what was there', async () => {
    const first = await run()
    expect(await run({ bundles: [...command.bundles, ...command.bundles].toReversed() })).toEqual(first)
  })

  it('gives its own bundles for another', async () => {
    const { sha256 } = await run()
    expect((await run({ bundles: [command.output], output: at('again.proof') })).sha256).toBe(sha256)
  })

  it('carries the source as the tree that was built', async () => {
    await writeFile(at('recipe', '.gitignore'), '')
    await expect(run({ source: at('recipe') })).rejects.toMatchObject({ code: 'source-of-another-report' })
    await rm(at('recipe', '.gitignore'))
    expect((await run({ source: at('recipe') })).leftOut).toEqual(['inputs'])
    await writeFile(at('source.tar'), (await readBack()).carried.get('source') ?? '')
    await using pinned = await pin(at('source.tar'), folder, signal)
    expect(pinned.pinned.treeDigest).toBe((await readBack()).proof.report.source.treeDigest)
  })

  it('carries inputs that are whole and of its lock', async () => {
    const bodies = ['one', 'two']
    const [first, second] = bodies.map((body) => ({ sha256: digestOf(body), size: body.length }))
    if (first === undefined || second === undefined) throw new Error('there are two')
    const lock = parseLock(LOCK_TEXT)
    const small = parseLock(
      encodeLock({ ...lock, inputs: lock.inputs.slice(2, 4).map((input, at_) => ({ ...input, ...(at_ === 0 ? first : second) })) }),
    )
    for (const body of [...bodies, encodeLock(small)]) await blobs.put(once(body))
    const { report, bundles } = await ofLock(encodeLock(small))
    const written = await writeInputsArchive({ lock: small, blobs, path: at('inputs.tar') })
    const exported = await run({ report, bundles, sbom: null, inputs: at('inputs.tar') })
    expect(exported.leftOut).toEqual(['source'])
    expect(exported.members.at(-1)).toEqual({ role: 'inputs', path: 'inputs.tar', ...written })
    expect((await readBack()).carried.get('inputs')?.equals(await readFile(at('inputs.tar')))).toBe(true)
    // Of another lock, and with a body that is another.
    await expect(run({ inputs: at('inputs.tar') })).rejects.toMatchObject({ code: 'inputs-of-another-lock' })
    const damaged = await readFile(at('inputs.tar'))
    damaged[damaged.lastIndexOf('two')] = 0
    await expect(run({ report, bundles, sbom: null, inputs: await put('damaged.tar', damaged) })).rejects.toMatchObject({
      code: 'blob-differs',
    })
  })
})

/** The report with another lock, and its bundles. */
async function ofLock(lock: string): Promise<{ report: string; bundles: string[] }> {
  const text = await readFile(command.report, 'utf8')
  const changed = { ...(JSON.parse(text.replaceAll(digestOf(LOCK_TEXT), digestOf(lock))) as object), indexes: [] }
  const report = VerificationReport.parse(changed)
  const bytes = Buffer.from(encodeDocument(VerificationReport, report))
  const bundles = bundlesOfReport(report, bytes)
  return { report: await put('other.json', bytes), bundles: await Promise.all(bundles.map((bundle, index) => put(`b${index}`, bundle))) }
}

describe('the key beside it', () => {
  it('is the one that signed', async () => {
    const world = await caseWorld()
    const [reproduced = ''] = command.bundles
    const { dsseEnvelope } = JSON.parse(await readFile(reproduced, 'utf8')) as { dsseEnvelope: { payload: string } }
    const signed = Buffer.from(JSON.stringify(await world.keyed({ statement: Buffer.from(dsseEnvelope.payload, 'base64') })))
    expect([
      isSignedBy(signed, pemOf(world.key)),
      isSignedBy(signed, pemOf(world.otherKey)),
      isSignedBy(Buffer.from('{}'), pemOf(world.key)),
    ]).toEqual([true, false, false])
    const bundles = [await put('signed.json', signed)]
    await run({ bundles, publicKey: await put('key.pub', pemOf(world.key)) })
    expect((await readBack()).proof.content.publicKey).toEqual(Buffer.from(pemOf(world.key)))
    const other = run({ bundles, publicKey: await put('other.pub', pemOf(world.otherKey)) })
    await expect(other).rejects.toMatchObject({ code: 'key-of-another-signer' })
  })
})

describe('nothing is written', () => {
  const nothing = () => '[]'
  it.each<[string, string, () => Promise<Partial<ExportProofCommand>>]>([
    ['without the bundle of the verdict', 'proof-verdict-missing', async () => ({ bundles: command.bundles.slice(1) })],
    [
      'with a bundle of another report',
      'proof-statement-of-another-report',
      async () => ({ bundles: (await ofLock(LOCK_TEXT)).bundles, sbom: null }),
    ],
    ['of a file that is no report', 'report-malformed', async () => ({ report: await put('x', nothing()) })],
    ['of a report that is not there', 'file-unreadable', async () => ({ report: at('absent') })],
    ['of a bundle that is not there', 'file-unreadable', async () => ({ bundles: [at('absent')] })],
    ['where the lock is not stored', 'lock-not-at-hand', async () => ({ ...(await ofLock('gone')), sbom: null })],
    [
      'where the builder is not known',
      'builder-unknown',
      async () => {
        const { builder } = await smallBuilder()
        const text = (await readFile(command.report, 'utf8')).replaceAll(builder.digest, 'b'.repeat(64))
        return { report: await put('other', text) }
      },
    ],
    [
      'with a bill of another image',
      'sbom-of-another-image',
      async () => ({
        sbom: await put(
          'x',
          (await readFile(at('bill.json'), 'utf8')).replace(/"content": "[0-9a-f]{64}"/, `"content": "${'0'.repeat(64)}"`),
        ),
      }),
    ],
    ['with a key that is none', 'public-key-malformed', async () => ({ publicKey: await put('x', nothing()) })],
    [
      'with a private key',
      'public-key-malformed',
      async () => ({
        publicKey: await put(
          'x',
          generateKeyPairSync('ec', {
            namedCurve: 'P-256',
            privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
            publicKeyEncoding: { type: 'spki', format: 'pem' },
          }).privateKey,
        ),
      }),
    ],
    ['with a root that is none', 'trusted-root-malformed', async () => ({ trustedRoot: await put('x', nothing()) })],
    ['with inputs that are none', 'inputs-archive-malformed', async () => ({ inputs: await put('x', Buffer.alloc(10240)) })],
    ['where there is no folder', 'proof-unwritten', async () => ({ output: at('absent', 'image.proof') })],
    ['where there is a folder', 'proof-unwritten', async () => ({ output: at('recipe') })],
  ])('%s: %s', async (_, code, change) => {
    await expect(run(await change())).rejects.toMatchObject({ code })
    const left = await readdir(folder)
    expect(left.filter((name) => name === 'image.proof' || name === 'scratch' || name.endsWith('.part'))).toEqual([])
  })

  it('where a stored blob is not the one any more', async () => {
    blobs.bytes.set(digestOf(MANIFEST), Buffer.from(MANIFEST.toString().replace('f', 'g')))
    await expect(run()).rejects.toBeInstanceOf(Failure)
    expect(await readdir(folder)).not.toContain('image.proof')
  })
})
