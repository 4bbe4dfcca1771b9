import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { packProof } from '../../attestations/proof/pack-proof.ts'
import { encodeStatement } from '../../attestations/statement/encode.ts'
import { statementsOf } from '../../attestations/statement/statements.ts'
import { LAPTOP } from '../../attestations/testing/reports.ts'
import { type CaseWorld, caseWorld, pemOf } from '../../attestations/verify/testing/case-world.ts'
import { encodeBuilder } from '../../verifier/builder/image-description.ts'
import { type SmallBuilder, smallBuilder } from '../../verifier/builder/testing/small-builder.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { encodeDocument } from '../../verifier/model/document.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { encodeLock } from '../../verifier/model/lock.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import type { Ports } from './ports.ts'
import { fakePorts, fakeTree, LOCKED } from './testing/fake-ports.ts'
import { verify } from './verify.ts'
import { type ProofRebuildPorts, type VerifyProofCommand, type VerifyProofPorts, verifyProof } from './verify-proof.ts'

const { signal } = new AbortController()
const other = Sha256.parse('b'.repeat(64))
const IMAGES = [{ Output: 'image', Format: 'tar' }]
const unused = (): Promise<never> => Promise.reject(new Error('unused'))

let world: CaseWorld
let small: SmallBuilder
let folder: string
let seen: string[]
beforeAll(async () => {
  world = await caseWorld()
  small = await smallBuilder()
})
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-verify-proof-'))
  seen = []
})
afterEach(() => rm(folder, { recursive: true }))

/** Surroundings in which the recipe gives a tar with this content. */
function yielding(content: string, change: Partial<Ports> = {}): Ports {
  return {
    ...fakePorts(folder, IMAGES, [fakeTree('image.tar', content)]),
    builder: async (wanted) => {
      seen.push(`builder ${wanted === small.builder.digest ? 'of the proof' : String(wanted)}`)
      return { digest: small.builder.digest, mkosi: '25.3', architecture: 'amd64', image: 'image' }
    },
    readLock: async (file) => JSON.parse(await readFile(file, 'utf8')),
    readInputs: async (file) => {
      seen.push(`inputs ${await readFile(file, 'utf8')}`)
      return LOCKED
    },
    ...change,
  }
}

const reports = new Map<string, Promise<VerificationReport>>()

/** What a verification of a recipe with this content finds of a claim; null: of what was built. Each is made once. */
async function reportOf(content: string, claimed: Sha256 | null = null): Promise<VerificationReport> {
  const key = `${content} ${claimed}`
  const made = reports.get(key) ?? verified(content, claimed)
  reports.set(key, made)
  return await made
}

async function verified(content: string, claimed: Sha256 | null): Promise<VerificationReport> {
  const sha256 = claimed ?? (await reportOf(content, other)).attempts[0]?.artifacts[0]?.sha256 ?? other
  const command = {
    source: './x',
    attempts: 1,
    lock: null,
    inputs: null,
    builder: null,
    snapshot: null,
    claimed: null,
    signal,
    emit: () => {},
  }
  return await verify(yielding(content), { ...command, claims: [{ kind: 'file', name: null, sha256, location: null }] })
}

type Packed = { readonly file: string; readonly report: VerificationReport }

/** A proof of a report, signed with the key of the world. */
async function proofOf(
  report: VerificationReport,
  carries: { source?: string; inputs?: string } = { source: 'the recipe' },
): Promise<Packed> {
  const bytes = Buffer.from(encodeDocument(VerificationReport, report))
  const statements = statementsOf(report, { ...LAPTOP, reportDigest: digestOf(bytes) })
  const bundles = await Promise.all(statements.map((one) => world.keyed({ statement: encodeStatement(one) })))
  const carried = (text: string | undefined) => (text === undefined ? null : { sha256: digestOf(text), size: text.length })
  const content = {
    report: bytes,
    bundles: bundles.map((bundle) => Buffer.from(JSON.stringify(bundle))),
    publicKey: Buffer.from(pemOf(world.otherKey)),
    trustedRoot: null,
    lock: Buffer.from(encodeLock(LOCKED)),
    builder: { description: Buffer.from(encodeBuilder(small.builder)), lock: Buffer.from(encodeLock(small.lock)) },
    treeManifests: [],
    sbom: null,
    source: carried(carries.source),
    inputs: carried(carries.inputs),
  }
  const { bytes: proof } = packProof(content, async ({ role }) =>
    (async function* () {
      yield Buffer.from((role === 'source' ? carries.source : carries.inputs) ?? '')
    })(),
  )
  const file = path.join(folder, 'image.proof')
  await writeFile(file, Buffer.concat(await Array.fromAsync(proof)))
  return { file, report }
}

type Change = Partial<Omit<VerifyProofCommand, 'signer'>> & {
  readonly signer?: 'good' | 'other' | null
  readonly bring?: ProofRebuildPorts['bringBuilder']
}

function run({ file }: Packed, ports: Ports | null, { signer = 'good', bring, ...change }: Change = {}) {
  const around: VerifyProofPorts = {
    scratch: async () => ({ path: await mkdtemp(path.join(folder, 'scratch-')), [Symbol.asyncDispose]: async () => {} }),
    fetchProof: async ({ location }) => location,
    attestations: {
      now: () => new Date(),
      trustedRoot: async () => ({
        origin: 'snapshot',
        root: (await import('../../attestations/verify/public-good.ts')).publicGoodSnapshot(),
      }),
      bundlesOf: unused,
      fetchDocument: unused,
    },
    rebuilding: async () => {
      if (ports === null) throw new Error('nothing was to be rebuilt')
      return {
        ...ports,
        bringBuilder:
          bring ??
          (async (image, { lock }) => {
            seen.push(`bring ${image.digest === small.builder.digest} ${digestOf(await readFile(lock)) === small.builder.lock}`)
            return 'at-hand'
          }),
      }
    },
  }
  const key = pemOf(signer === 'other' ? world.otherKey : world.key)
  return verifyProof(around, {
    proof: file,
    source: null,
    attempts: 1,
    lock: null,
    inputs: null,
    builder: null,
    snapshot: null,
    claims: [],
    claimed: null,
    signer:
      signer === null ? null : { policy: { signer: { kind: 'key', publicKeys: [key] } }, trustedRoot: { file: null, refresh: false } },
    signal,
    emit: () => {},
    ...change,
  })
}

describe('a proof that is true', () => {
  it('agrees with the rebuild, from what it carries and from nothing else', async () => {
    const proof = await proofOf(await reportOf('the image'), { source: 'the recipe', inputs: 'the inputs' })
    const ports = yielding('the image')
    seen = []
    const document = await run(proof, {
      ...ports,
      pin: async (source, ...rest) => {
        seen.push(`source ${path.basename(source)} ${await readFile(source, 'utf8')}`)
        return await ports.pin(source, ...rest)
      },
      record: unused,
    })
    expect(document).toMatchObject({
      schema: 'bitwitness/proof-check/v1',
      verdict: 'reproduced',
      tier: 'bit-exact',
      agreement: 'agrees',
      differences: [],
      proof: { sha256: digestOf(await readFile(proof.file)), verdict: 'reproduced', tier: 'bit-exact', source: true, inputs: true },
      attestation: { result: 'pass', check: { verdict: 'verified', asked: { predicateType: 'bitwitness:reproduced/v1' } } },
      builder: 'at-hand',
      report: { verdict: 'reproduced', lock: digestOf(encodeLock(LOCKED)), attempts: [{ mode: 'replay' }] },
    })
    expect(seen).toEqual(['source source.tar the recipe', 'inputs the inputs', 'bring true true', 'builder of the proof'])
    const scratch = (await readdir(folder)).find((name) => name.startsWith('scratch-')) ?? ''
    expect(await readdir(path.join(folder, scratch))).not.toContain('proof.json')
  })

  it.each(['mismatch', 'reproduced'] as const)('of a %s agrees where the rebuild is one too', async (verdict) => {
    const ports = yielding('the image')
    const proof = await proofOf(await reportOf('the image', verdict === 'mismatch' ? other : null))
    expect(await run(proof, ports)).toMatchObject({ verdict, agreement: 'agrees', attestation: { result: 'pass' } })
  })

  it('is nobody’s word where nobody said who must have signed', async () => {
    const ports = yielding('the image')
    const document = await run(await proofOf(await reportOf('the image')), ports, { signer: null })
    expect(document).toMatchObject({ verdict: 'reproduced', agreement: 'agrees', attestation: { result: 'skip', check: null } })
  })

  it('is not helped by the key that lies in it', async () => {
    const proof = await proofOf(await reportOf('the image'))
    expect(await run(proof, null, { signer: 'other' })).toMatchObject({
      verdict: 'rejected',
      agreement: 'unknown',
      attestation: { result: 'fail', check: { code: 'key-unknown' } },
      builder: null,
      report: null,
    })
  })
})

describe('a proof that is signed and not true', () => {
  it('disagrees: what is claimed as reproduced belongs to other bits', async () => {
    const proof = await proofOf(await reportOf('other bits'))
    const document = await run(proof, yielding('the image'))
    const [said, found] = [proof.report, document.report].map((report) => report?.attempts[0]?.artifacts[0])
    expect(document).toMatchObject({ verdict: 'mismatch', tier: null, agreement: 'disagrees', attestation: { result: 'pass' } })
    expect(document.differences).toEqual([
      { what: 'verdict', name: null, proof: 'reproduced', here: 'mismatch' },
      { what: 'tier', name: null, proof: 'bit-exact', here: null },
      { what: 'artifact', name: 'image.tar', proof: said?.sha256, here: found?.sha256 },
      { what: 'image', name: 'image.tar', proof: said?.oci?.manifest, here: found?.oci?.manifest },
    ])
  })

  it('disagrees about other bits at the same verdict as well', async () => {
    const proof = await proofOf(await reportOf('other bits', other))
    expect(await run(proof, yielding('the image'))).toMatchObject({ verdict: 'mismatch', agreement: 'disagrees' })
  })

  it('disagrees where it says a mismatch, and there is none', async () => {
    const built = await reportOf('the image')
    const proof = await proofOf(await reportOf('other bits', built.claims[0]?.sha256 ?? other))
    expect(await run(proof, yielding('the image'))).toMatchObject({ verdict: 'reproduced', agreement: 'disagrees' })
  })
})

it('a rebuild that came to nothing agrees with nothing', async () => {
  const proof = await proofOf(await reportOf('the image'))
  const gone = { code: 'input-unavailable' as const, archive: 'debian', path: 'x', expected: other, actual: null, message: 'gone' }
  const document = await run(proof, yielding('the image', { gather: async () => [gone] }))
  expect(document).toMatchObject({ verdict: 'undecided', agreement: 'unknown', differences: [] })
})

it('what a claim in it names as its place is never opened', async () => {
  const report = await reportOf('the image', other)
  const located = { ...report, claims: report.claims.map((claim) => ({ ...claim, location: '/etc/passwd' })) }
  const ports = yielding('the image')
  expect((await run(await proofOf(located), ports)).report?.claims).toEqual(report.claims)
})

describe('the source', () => {
  const pinning = (treeDigest: Sha256): Partial<Ports> => ({
    pin: async (source, ...rest) => {
      seen.push(`source ${source}`)
      const pinned = await yielding('').pin(source, ...rest)
      return { ...pinned, pinned: { ...pinned.pinned, treeDigest }, [Symbol.asyncDispose]: async () => void seen.push('gone') }
    },
  })
  const git = { kind: 'git', url: 'https://git.example/app.git', commit: '0'.repeat(40), ref: null, path: 'images/web' } as const
  const own = Sha256.parse('a'.repeat(64))

  it('that has no address and is not carried is asked for, before anything is opened', async () => {
    const proof = await proofOf(await reportOf('the image'), {})
    await expect(run(proof, null)).rejects.toMatchObject({ code: 'proof-source-missing' })
    expect(await run(proof, yielding('the image', pinning(own)), { source: './from-elsewhere' })).toMatchObject({ agreement: 'agrees' })
    expect(seen).toContain('source ./from-elsewhere')
  })

  it('that is given has to be the same', async () => {
    const proof = await proofOf(await reportOf('the image'))
    const wrong = run(proof, yielding('the image', pinning(other)), { source: './another' })
    await expect(wrong).rejects.toMatchObject({ code: 'source-of-another-report', data: { expected: own, actual: other } })
    expect(seen.at(-1)).toBe('gone')
  })

  it('that is carried has to be the one that the report is about', async () => {
    const proof = await proofOf(await reportOf('the image'))
    await expect(run(proof, yielding('the image', pinning(other)))).rejects.toMatchObject({ code: 'proof-source-differs' })
  })

  it('at an address is the commit that the report names; another tree there is a disagreement', async () => {
    const report = await reportOf('the image')
    const proof = await proofOf({ ...report, source: { ...git, treeDigest: own } }, {})
    expect(await run(proof, yielding('the image', pinning(own)))).toMatchObject({ agreement: 'agrees' })
    expect(seen).toContain(`source https://git.example/app.git#${'0'.repeat(40)}:images/web`)
    expect(await run(proof, yielding('the image', pinning(other)))).toMatchObject({
      verdict: 'reproduced',
      agreement: 'disagrees',
      differences: [{ what: 'source', proof: own, here: other }],
    })
    const elsewhere = { ...git, url: 'https://git.example/app', path: '.', treeDigest: own }
    await run(await proofOf({ ...report, source: elsewhere }, {}), yielding('the image', pinning(own)))
    expect(seen).toContain(`source git+https://git.example/app#${'0'.repeat(40)}`)
  })
})

it('inputs that are carried have to be those of the lock', async () => {
  const proof = await proofOf(await reportOf('the image'), { source: 'the recipe', inputs: 'of another lock' })
  const another = async () => ({ ...LOCKED, snapshot: '20241201T000000Z' })
  await expect(run(proof, yielding('the image', { readInputs: another }))).rejects.toMatchObject({ code: 'proof-inputs-differ' })
  const given = { inputs: proof.file, signer: null }
  await expect(run(proof, yielding('the image', { readInputs: another }), given)).rejects.toMatchObject({ code: 'inputs-of-another-lock' })
})

describe('the builder', () => {
  it('is made where it is not here, and that is said', async () => {
    const proof = await proofOf(await reportOf('the image'))
    expect((await run(proof, yielding('the image'), { bring: async () => 'made' })).builder).toBe('made')
    const gone = new Failure({ code: 'builder-definition-differs', message: 'x', hint: 'x' })
    await expect(run(proof, yielding('the image'), { bring: () => Promise.reject(gone) })).rejects.toBe(gone)
  })
})

describe('what is said beside a proof', () => {
  const lock = (text: string) => async () => {
    await writeFile(path.join(folder, 'lock.json'), text)
    return { lock: path.join(folder, 'lock.json') }
  }
  it.each<[string, (report: VerificationReport) => Change | Promise<Change>]>([
    ['another claim', () => ({ claims: [{ kind: 'file', name: null, sha256: other, location: null }] })],
    ['a claim of another kind', ({ claims }) => ({ claims: claims.map((claim) => ({ ...claim, kind: 'oci-manifest' })) })],
    ['another image', () => ({ claimed: `ghcr.io/owner/app@sha256:${other}` })],
    ['another builder', () => ({ builder: other })],
    ['a snapshot', () => ({ snapshot: '20241201T000000Z' })],
    ['another lock', lock(encodeLock({ ...LOCKED, snapshot: '20241201T000000Z' }))],
  ])('contradicts it: %s', async (_, change) => {
    const proof = await proofOf(await reportOf('the image'))
    await expect(run(proof, null, await change(proof.report))).rejects.toMatchObject({ code: 'flag-contradicts-proof' })
  })

  it('may say the same', async () => {
    const proof = await proofOf(await reportOf('the image'))
    const { claims } = proof.report
    const same = { claims, builder: small.builder.digest, ...(await lock(encodeLock(LOCKED))()) }
    expect(await run(proof, yielding('the image'), same)).toMatchObject({ agreement: 'agrees' })
  })
})
