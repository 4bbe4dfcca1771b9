import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeDocument } from '../../verifier/model/document.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import { inPieces } from '../../verifier/tar/testing/collect.ts'
import { RAW_END, type RawFields, rawMember, rawPax, rawSize } from '../../verifier/tar/testing/raw-tar.ts'
import { encodeStatement } from '../statement/encode.ts'
import type { Statement } from '../statement/statement.ts'
import { goldenReport } from '../testing/reports.ts'
import { readProof } from './read-proof.ts'
import { archiveOf, changeIndex, goodMembers, type Members, remove, replace, replaceBundle } from './testing/forge.ts'
import { bundlesOfReport, consistent, unsignedBundle } from './testing/proof-world.ts'

let good: Members
let archive: Buffer
beforeAll(async () => {
  good = await goodMembers()
  archive = await archiveOf(good)
})

async function codeOf(bytes: Uint8Array): Promise<string> {
  return await readProof(inPieces(bytes)).then(
    () => 'taken',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  )
}

/** Members of the good proof, changed. */
function changed(change: (members: Members) => void): Promise<Buffer> {
  const members = new Map(good)
  change(members)
  return archiveOf(members)
}

const text = (members: Members, path: string): string => members.get(path)?.toString() ?? ''
const statementIn = (members: Members, kind: string) =>
  JSON.parse(text(members, `attestations/${kind}.statement.json`)) as Statement<Record<string, unknown>>

/** The same bundle, of a statement that its signer changed. */
function resigned(members: Members, kind: string, change: (statement: Statement<Record<string, unknown>>) => void): void {
  const statement = statementIn(members, kind)
  change(statement)
  const bytes = Buffer.from(JSON.stringify(statement))
  replaceBundle(members, kind, unsignedBundle(bytes), bytes)
}

/** The report, changed as its signer would: statements are made anew where there are any of it. */
function reported(members: Members, change: (report: VerificationReport) => VerificationReport): void {
  const report = change(VerificationReport.parse(JSON.parse(text(members, 'report.json'))))
  const bytes = Buffer.from(encodeDocument(VerificationReport, report))
  replace(members, 'report.json', bytes)
  for (const bundle of attestable(() => bundlesOfReport(report, bytes))) {
    const payload = Buffer.from((JSON.parse(bundle.toString()) as { dsseEnvelope: { payload: string } }).dsseEnvelope.payload, 'base64')
    const kind = payload.includes('bitwitness:reproduced/v1') ? 'reproduced' : 'provenance'
    replaceBundle(members, kind, bundle, payload)
  }
}

function attestable(make: () => Buffer[]): Buffer[] {
  try {
    return make()
  } catch {
    return []
  }
}

it('the good proof is taken', async () => {
  expect(await codeOf(archive)).toBe('taken')
})

describe('the index', () => {
  it.each<[string, string, (members: Members) => void]>([
    ['is of a version to come', 'proof-version-unknown', (m) => changeIndex(m, (index) => void (index.schema = 'bitwitness/proof/v2'))],
    ['is of something else', 'proof-index-malformed', (m) => changeIndex(m, (index) => void (index.schema = 'bitwitness/error/v1'))],
    ['is no object', 'proof-index-malformed', (m) => void m.set('proof.json', Buffer.from('[]'))],
    ['is no JSON', 'json-malformed', (m) => void m.set('proof.json', Buffer.from('{'))],
    [
      'is written otherwise',
      'proof-index-malformed',
      (m) => void m.set('proof.json', Buffer.from(JSON.stringify(JSON.parse(text(m, 'proof.json'))))),
    ],
    [
      'has a key twice',
      'json-duplicate-key',
      (m) => void m.set('proof.json', Buffer.from(text(m, 'proof.json').replace('{', '{"schema": "bitwitness/proof/v1",'))),
    ],
    ['says more than it may', 'proof-index-malformed', (m) => changeIndex(m, (index) => Object.assign(index, { run: 'CHECK.md' }))],
    [
      'has a role that there is not',
      'proof-index-malformed',
      (m) => changeIndex(m, (index) => Object.assign(index.members[1] ?? {}, { role: 'script' })),
    ],
    [
      'names a path outside',
      'proof-name-wrong',
      (m) => changeIndex(m, (index) => Object.assign(index.members[1] ?? {}, { path: '../../report.json' })),
    ],
    [
      'gives a role the name of another',
      'proof-name-wrong',
      (m) => changeIndex(m, (index) => Object.assign(index.members[1] ?? {}, { path: 'inputs.tar' })),
    ],
    ['names itself', 'proof-name-wrong', (m) => changeIndex(m, (index) => Object.assign(index.members[1] ?? {}, { path: 'proof.json' }))],
    ['names a member twice', 'proof-member-duplicate', (m) => changeIndex(m, (index) => void index.members.push({ ...index.members[1] }))],
    ['has no report', 'proof-role-missing', (m) => remove(m, 'report.json')],
    ['has no attestation', 'proof-role-missing', (m) => remove(m, ...[...m.keys()].filter((path) => path.startsWith('attestations/')))],
    [
      'has more members than a proof has',
      'proof-index-malformed',
      (m) => changeIndex(m, (index) => void index.members.push(...Array.from({ length: 128 }, () => ({ ...index.members[1] })))),
    ],
    ['is without end', 'proof-index-too-large', (m) => void m.set('proof.json', Buffer.alloc((4 << 20) + 1, ' '))],
    [
      'says that the report is huge',
      'proof-member-too-large',
      (m) => changeIndex(m, (index) => Object.assign(index.members[1] ?? {}, { size: 2 ** 40 })),
    ],
    [
      'says that a tree manifest is huge',
      'proof-member-too-large',
      (m) => changeIndex(m, (index) => Object.assign(index.members.find(({ role }) => role === 'tree-manifest') ?? {}, { size: 2 ** 29 })),
    ],
    [
      'says that all together is huge',
      'proof-too-large',
      (m) =>
        changeIndex(m, (index) => {
          const bundles = Array.from({ length: 13 }, (_, at) => ({
            ...index.members[2],
            path: `attestations/reproduced-${at + 2}.sigstore.json`,
            size: 16 << 20,
          }))
          index.members.push(...bundles)
        }),
    ],
    ['lies about a size', 'proof-member-size', (m) => changeIndex(m, (index) => Object.assign(index.members[1] ?? {}, { size: 1 }))],
    [
      'lies about a digest',
      'proof-member-differs',
      (m) => changeIndex(m, (index) => Object.assign(index.members[1] ?? {}, { sha256: '0'.repeat(64) })),
    ],
    [
      'lies about what is carried',
      'proof-member-differs',
      (m) =>
        changeIndex(m, (index) => Object.assign(index.members.find(({ role }) => role === 'inputs') ?? {}, { sha256: '0'.repeat(64) })),
    ],
    [
      'lies about what a bundle is about',
      'proof-index-differs',
      (m) => changeIndex(m, (index) => Object.assign(index.members[2] ?? {}, { subjects: [{ name: 'another', sha256: '0'.repeat(64) }] })),
    ],
    [
      'lies about what a bundle is',
      'proof-index-differs',
      (m) => changeIndex(m, (index) => Object.assign(index.members[2] ?? {}, { predicateType: 'https://slsa.dev/provenance/v1' })),
    ],
  ])('%s: %s', async (_, code, change) => {
    expect(await codeOf(await changed(change))).toBe(code)
  })
})

describe('the members', () => {
  const moved = (members: Members, path: string): void => {
    const bytes = members.get(path)
    members.delete(path)
    if (bytes !== undefined) members.set(path, bytes)
  }
  it.each<[string, string, (members: Members) => void]>([
    ['are one too few', 'proof-member-missing', (m) => void m.delete('inputs.tar')],
    ['are one too many', 'proof-member-unlisted', (m) => void m.set('run.sh', Buffer.from('#!/bin/sh'))],
    ['lie in another order than the index says', 'proof-member-order', (m) => moved(m, 'report.json')],
    [
      'lie in another order than those of proofs',
      'proof-member-order',
      (m) => {
        moved(m, 'report.json')
        changeIndex(m, (index) => void index.members.push(...index.members.splice(1, 1)))
      },
    ],
    ['begin with another than the index', 'proof-not-a-proof', (m) => moved(m, 'proof.json')],
    [
      'go by a number that bundles do not have',
      'proof-index-differs',
      (m) => {
        const renamed = (path: string): string => path.replace('attestations/sbom.', 'attestations/sbom-2.')
        const entries = [...m].map(([path, bytes]): [string, Buffer] => [renamed(path), bytes])
        m.clear()
        for (const [path, bytes] of entries) m.set(path, bytes)
        changeIndex(m, (index) => {
          for (const one of index.members) Object.assign(one, { path: renamed(String(one['path'])) })
        })
      },
    ],
    [
      'have other bytes than the index says',
      'proof-member-differs',
      (m) => void m.set('key.pub', Buffer.from(text(m, 'key.pub').replace('M', 'N'))),
    ],
  ])('%s: %s', async (_, code, change) => {
    expect(await codeOf(await changed(change))).toBe(code)
  })
})

describe('the tar', () => {
  /** The good archive, with other bytes in the place of one member's header and content. */
  const spliced = (path: string, ...parts: readonly Uint8Array[]): Buffer => {
    const name = `./${path}\0`
    const at = archive.indexOf(Buffer.from(name))
    const size = good.get(path)?.length ?? 0
    const end = at + 512 + Math.ceil(size / 512) * 512
    return padded(Buffer.concat([archive.subarray(0, at), ...parts, archive.subarray(end)]))
  }
  const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((10240 - (bytes.length % 10240)) % 10240)])
  const key = (fields: RawFields): Buffer =>
    rawMember({ name: './key.pub', mtime: '00000000000\0', major: '', minor: '', ...fields }, good.get('key.pub'))
  const link = (type: string): Buffer =>
    rawMember({ name: './key.pub', mtime: '00000000000\0', major: '', minor: '', type, link: 'report.json' })

  it('is the same when it is put together by hand', async () => {
    expect(await codeOf(spliced('key.pub', key({})))).toBe('taken')
  })

  it.each<[string, string, () => Uint8Array]>([
    ['is empty', 'proof-not-a-proof', () => Buffer.alloc(0)],
    ['holds nothing', 'proof-not-a-proof', () => Buffer.alloc(10240)],
    ['is a bundle', 'proof-not-a-proof', () => Buffer.from(JSON.stringify({ mediaType: 'x' }).padEnd(1024))],
    ['is another tar', 'proof-not-a-proof', () => Buffer.concat([rawMember({ name: './image' }, 'x'), RAW_END])],
    ['ends too early', 'tar-truncated', () => archive.subarray(0, archive.length - 20480)],
    ['goes on behind its end', 'tar-trailing-data', () => Buffer.concat([archive, Buffer.from('x')])],
    ['is two proofs', 'tar-trailing-data', () => Buffer.concat([archive, archive])],
    ['has two indexes', 'tar-path-duplicate', () => spliced('key.pub', rawMember({ name: './proof.json' }, '{}'))],
    ['has a member twice', 'tar-path-duplicate', () => spliced('inputs.lock.json', key({}))],
    ['has a symbolic link', 'proof-member-not-file', () => spliced('key.pub', link('2'))],
    ['has a hard link', 'proof-member-not-file', () => spliced('key.pub', link('1'))],
    [
      'has a folder in the place of a file',
      'proof-member-not-file',
      () => spliced('key.pub', rawMember({ name: './key.pub/', type: '5' })),
    ],
    ['has a device', 'proof-member-not-file', () => spliced('key.pub', rawMember({ name: './key.pub', type: '3' }))],
    ['has a path outside', 'tar-path-not-normal', () => spliced('key.pub', key({ name: './../key.pub' }))],
    ['has a path from the root', 'tar-path-not-normal', () => spliced('key.pub', key({ name: '/key.pub' }))],
    [
      'names a member in an extended header',
      'proof-header-other',
      () => spliced('key.pub', rawPax([['path', './key.pub']]), key({ name: './other' })),
    ],
    [
      'sizes a member in an extended header',
      'proof-header-other',
      () => spliced('key.pub', rawPax([['size', String(good.get('key.pub')?.length)]]), key({ size: rawSize(0) })),
    ],
    ['has a pax key of its own', 'tar-pax-key-unknown', () => spliced('key.pub', rawPax([['comment', 'read me']]), key({}))],
    ['has an attribute', 'proof-header-other', () => spliced('key.pub', rawPax([['SCHILY.xattr.user.x', 'y']]), key({}))],
    ['has a global extended header', 'tar-pax-key-unknown', () => spliced('key.pub', rawPax([['path', './report.json']], 'g'), key({}))],
    [
      'has a sparse member',
      'tar-sparse-unsupported',
      () =>
        spliced(
          'key.pub',
          rawPax([
            ['GNU.sparse.major', '1'],
            ['GNU.sparse.minor', '0'],
            ['GNU.sparse.name', './key.pub'],
            ['GNU.sparse.realsize', '1000000000'],
          ]),
          key({ name: './GNUSparseFile.0/key.pub' }),
        ),
    ],
    ['has an old sparse member', 'tar-sparse-unsupported', () => spliced('key.pub', key({ type: 'S' }))],
    ['is of another format', 'proof-header-other', () => spliced('key.pub', key({ magic: 'ustar  \0' }))],
    ['splits a name', 'proof-header-other', () => spliced('key.pub', key({ name: 'key.pub', prefix: '.' }))],
    ['has a time', 'proof-header-other', () => spliced('key.pub', key({ mtime: '00000000001\0' }))],
    ['has an owner', 'proof-header-other', () => spliced('key.pub', key({ uid: '0001750\0' }))],
    ['has a name for its owner', 'proof-header-other', () => spliced('key.pub', key({ userName: 'root' }))],
    ['has a program', 'proof-header-other', () => spliced('key.pub', key({ mode: '0000755\0' }))],
    ['writes a number otherwise', 'proof-header-other', () => spliced('key.pub', key({ mode: '000644 \0' }))],
    ['has a member of many gigabytes', 'tar-file-size-limit', () => spliced('key.pub', key({ size: '\x80\0\0\0\0\0\0\x10\0\0\0\0' }))],
    ['is one record longer', 'proof-padding-other', () => Buffer.concat([archive, Buffer.alloc(10240)])],
    ['has no whole record', 'proof-padding-other', () => archive.subarray(0, archive.length - 512)],
  ])('%s: %s', async (_, code, make) => {
    expect(await codeOf(make())).toBe(code)
  })

  it('has no byte that means nothing: one that is changed anywhere is found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const other = Buffer.from(archive)
        other[at] = (other[at] ?? 0) ^ mask
        expect(await codeOf(other)).not.toBe('taken')
      }),
      { numRuns: 400 },
    )
  })

  it('has no shorter form', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length - 1), async (length) => {
        expect(await codeOf(archive.subarray(0, length))).not.toBe('taken')
      }),
      { numRuns: 100 },
    )
  })
})

describe('what belongs to something else', () => {
  const wrong = '0'.repeat(64)
  const another = (members: Members, kind: string, change: object): void => {
    const statement = members.get(`attestations/${kind}.statement.json`) ?? Buffer.alloc(0)
    replace(members, `attestations/${kind}.sigstore.json`, unsignedBundle(statement, change))
  }
  const evidence = (change: object) => (m: Members) => resigned(m, 'reproduced', (one) => void Object.assign(one.predicate, change))

  it.each<[string, string, (members: Members) => void]>([
    [
      'a copy of a statement that is not what the bundle signs',
      'proof-statement-differs',
      (m) =>
        replace(
          m,
          'attestations/reproduced.statement.json',
          Buffer.from(text(m, 'attestations/reproduced.statement.json').replace('image.tar', 'image.tax')),
        ),
    ],
    [
      'a bundle of another subject',
      'proof-bundle-of-another-subject',
      (m) => resigned(m, 'sbom', (one) => void (one.subject = [{ name: 'image.tar', digest: { sha256: wrong as never } }])),
    ],
    [
      'a bundle of one subject too many',
      'proof-bundle-of-another-subject',
      (m) => resigned(m, 'provenance', (one) => void one.subject.push({ name: 'other', digest: { sha256: wrong as never } })),
    ],
    ['a bundle that is none', 'proof-bundle-malformed', (m) => replace(m, 'attestations/reproduced.sigstore.json', Buffer.from('{}'))],
    ['a proof in the place of a bundle', 'proof-bundle-malformed', (m) => replace(m, 'attestations/reproduced.sigstore.json', archive)],
    [
      'a bundle with two signatures',
      'proof-bundle-malformed',
      (m) => another(m, 'reproduced', { signatures: [{ sig: 'c2ln' }, { sig: 'c2lo' }] }),
    ],
    ['a bundle of no statement', 'proof-bundle-malformed', (m) => another(m, 'reproduced', { payloadType: 'text/plain' })],
    [
      'a bundle twice',
      'proof-bundle-duplicate',
      (m) => {
        for (const end of ['sigstore.json', 'statement.json']) {
          replace(m, `attestations/sbom.${end}`, m.get(`attestations/provenance.${end}`) ?? Buffer.alloc(0))
        }
      },
    ],
    [
      'a statement that is none',
      'statement-type-unknown',
      (m) => replaceBundle(m, 'reproduced', unsignedBundle(Buffer.from('{}')), Buffer.from('{}')),
    ],
    ['a mismatch that is labelled as reproduced', 'proof-statement-malformed', evidence({ verdict: 'mismatch' })],
    ['a statement of another report', 'proof-statement-of-another-report', evidence({ report: wrong })],
    [
      'a provenance of another report',
      'proof-statement-of-another-report',
      (m) => resigned(m, 'provenance', ({ predicate }) => void Object.assign(predicate['runDetails'] as object, { byproducts: [] })),
    ],
    [
      'a provenance of another source',
      'proof-statement-contradicts-report',
      (m) =>
        resigned(m, 'provenance', ({ predicate }) => {
          const { externalParameters } = predicate['buildDefinition'] as { externalParameters: { source: object } }
          Object.assign(externalParameters.source, { treeDigest: wrong })
        }),
    ],
    ['a statement of another architecture', 'proof-statement-contradicts-report', evidence({ architecture: 'arm64' })],
    ['a statement of another time', 'proof-statement-contradicts-report', evidence({ finishedAt: '2020-01-01T00:00:00Z' })],
    ['a statement of no lock', 'proof-statement-contradicts-report', evidence({ inputs: { lock: null, given: false, indexes: [] } })],
    [
      'a statement of another lock than its attempts',
      'proof-statement-malformed',
      evidence({ inputs: { lock: wrong, given: false, indexes: [] } }),
    ],
    [
      'no statement of the verdict',
      'proof-verdict-missing',
      (m) => remove(m, 'attestations/reproduced.sigstore.json', 'attestations/reproduced.statement.json'),
    ],
    [
      'a statement of the verdict that the report had before',
      'report-contradicts-itself',
      (m) => replace(m, 'report.json', Buffer.from(text(m, 'report.json').replace('"reproduced"', '"mismatch"'))),
    ],
    ['a report that is none', 'report-malformed', (m) => replace(m, 'report.json', Buffer.from('{}'))],
    ['a proof in the place of the report', 'json-number-inexact', (m) => replace(m, 'report.json', archive)],
    [
      'a report that stayed undecided',
      'verdict-not-attestable',
      (m) => reported(m, (report) => ({ ...report, verdict: 'undecided', tier: null, attempts: [], comparisons: [], reasons: [] })),
    ],
    [
      'a report that takes long to look at',
      'proof-report-too-large',
      (m) => reported(m, (report) => ({ ...report, attempts: Array.from({ length: 65 }, () => report.attempts[0] as never) })),
    ],
    [
      'a report of more comparisons than are looked at',
      'proof-report-too-large',
      (m) => reported(m, (report) => ({ ...report, comparisons: Array.from({ length: 20_000 }, () => report.comparisons[0] as never) })),
    ],
    ['another lock', 'proof-lock-differs', (m) => replace(m, 'inputs.lock.json', m.get('builder.lock.json') ?? Buffer.alloc(0))],
    ['no lock', 'proof-lock-missing', (m) => remove(m, 'inputs.lock.json', 'inputs.tar')],
    ['inputs and no lock', 'proof-inputs-without-lock', (m) => remove(m, 'inputs.lock.json')],
    [
      'signed indexes that are not in the lock',
      'proof-indexes-not-locked',
      (m) => reported(m, (report) => ({ ...report, indexes: report.indexes.map((one) => ({ ...one, date: '2026-11-24T00:00:00Z' })) })),
    ],
    [
      'another builder',
      'proof-builder-differs',
      (m) => replace(m, 'builder.json', Buffer.from(text(m, 'builder.json').replace(/"digest": "./, '"digest": "0'))),
    ],
    [
      'a builder that is written otherwise',
      'proof-builder-differs',
      (m) => replace(m, 'builder.json', Buffer.from(text(m, 'builder.json').trim())),
    ],
    [
      'a builder of another mkosi',
      'proof-builder-differs',
      (m) => replace(m, 'builder.json', Buffer.from(text(m, 'builder.json').replace('"25.3"', '"27.1"'))),
    ],
    [
      'a builder of other packages',
      'builder-packages-differ',
      (m) => replace(m, 'builder.json', Buffer.from(text(m, 'builder.json').replace('25.3-7', '25.3-8'))),
    ],
    ['no builder', 'proof-builder-missing', (m) => remove(m, 'builder.json', 'builder.lock.json')],
    ['half a builder', 'proof-builder-missing', (m) => remove(m, 'builder.lock.json')],
    [
      'another lock of the builder',
      'proof-builder-lock-differs',
      (m) => replace(m, 'builder.lock.json', m.get('inputs.lock.json') ?? Buffer.alloc(0)),
    ],
    [
      'a tree manifest of another tree',
      'proof-manifest-unknown',
      (m) => {
        const path = [...m.keys()].find((one) => one.startsWith('manifests/')) ?? ''
        replace(m, path, Buffer.from('another tree'))
      },
    ],
    [
      'a private key',
      'proof-key-malformed',
      (m) =>
        replace(
          m,
          'key.pub',
          Buffer.from(
            createPrivateKey(
              generateKeyPairSync('ec', {
                namedCurve: 'P-256',
                privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
                publicKeyEncoding: { type: 'spki', format: 'pem' },
              }).privateKey,
            ).export({ type: 'pkcs8', format: 'pem' }),
          ),
        ),
    ],
    ['a key with something behind it', 'proof-key-malformed', (m) => replace(m, 'key.pub', Buffer.from(`${text(m, 'key.pub')}\n`))],
    [
      'a key of another kind',
      'proof-key-malformed',
      (m) =>
        replace(
          m,
          'key.pub',
          Buffer.from(
            generateKeyPairSync('ed25519', {
              publicKeyEncoding: { type: 'spki', format: 'pem' },
              privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
            }).publicKey,
          ),
        ),
    ],
    [
      'a bill of another image',
      'sbom-of-another-image',
      (m) =>
        replace(m, 'sbom.cdx.json', Buffer.from(text(m, 'sbom.cdx.json').replace(/"content": "[0-9a-f]{64}"/, `"content": "${wrong}"`))),
    ],
    [
      'another bill than is signed',
      'proof-sbom-differs',
      (m) => replace(m, 'sbom.cdx.json', Buffer.from(text(m, 'sbom.cdx.json').replace('"curl"', '"cur1"'))),
    ],
    ['instructions of somebody’s own', 'proof-instructions-differ', (m) => replace(m, 'CHECK.md', Buffer.from('Run ./check.sh\n'))],
    [
      'instructions with something behind them',
      'proof-instructions-differ',
      (m) => replace(m, 'CHECK.md', Buffer.from(`${text(m, 'CHECK.md')} `)),
    ],
  ])('%s: %s', async (_, code, change) => {
    expect(await codeOf(await changed(change))).toBe(code)
  })

  it('anything in what hangs on the signed statement, whatever the index says', async () => {
    const bound = [...good.keys()].filter(
      (path) => /^(report|inputs\.lock|attestations\/.*statement|manifests\/)/.test(path) || path === 'CHECK.md',
    )
    expect(bound).toHaveLength(7)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...bound), fc.nat(), fc.integer({ min: 1, max: 255 }), async (path, where, mask) => {
        const bytes = Buffer.from(good.get(path) ?? '')
        const at = where % bytes.length
        bytes[at] = (bytes[at] ?? 0) ^ mask
        expect(await codeOf(await changed((members) => replace(members, path, bytes)))).not.toBe('taken')
      }),
      { numRuns: 300 },
    )
  })

  it('a trusted root that is none', async () => {
    const members = new Map<string, Buffer>()
    for (const [path, bytes] of good) {
      members.set(path, bytes)
      if (path === 'key.pub') members.set('trusted_root.json', Buffer.from('{}'))
    }
    changeIndex(members, (index) => {
      const at = index.members.findIndex(({ path }) => path === 'key.pub')
      index.members.splice(at + 1, 0, { role: 'trusted-root', path: 'trusted_root.json', sha256: '', size: 0 })
    })
    replace(members, 'trusted_root.json', Buffer.from('{}'))
    expect(await codeOf(await archiveOf(members))).toBe('trusted-root-malformed')
  })

  it('a rebuild result beside a reproduction contradicts its report', async () => {
    const { report } = await consistent(goldenReport('mismatch'))
    const [, result] = bundlesOfReport(report, good.get('report.json') ?? Buffer.alloc(0))
    if (result === undefined) throw new Error('a mismatch has a rebuild result')
    const payload = Buffer.from((JSON.parse(result.toString()) as { dsseEnvelope: { payload: string } }).dsseEnvelope.payload, 'base64')
    const statement = JSON.parse(payload.toString()) as Statement
    const [own] = statementIn(good, 'reproduced').subject
    const retold = encodeStatement({
      ...statement,
      subject: own === undefined ? [] : [own],
      predicate: {
        ...(statement.predicate as object),
        claims: (statement.predicate as { claims: object[] }).claims.slice(0, 1).map((one) => ({ ...one, sha256: own?.digest.sha256 })),
      },
    })
    expect(await codeOf(await changed((m) => replaceBundle(m, 'sbom', unsignedBundle(retold), retold)))).toBe(
      'proof-statement-contradicts-report',
    )
  })
})
