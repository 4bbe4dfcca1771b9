import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BUNDLE_TYPE } from '../../attestations/statement/predicate-types.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { parsePinnedReference } from '../../verifier/model/image-reference.ts'
import { type FakeOptions, FakeRegistry } from '../registry/testing/fake-registry.ts'
import { manifestOf, openTestRegistry } from '../registry/testing/open.ts'
import { attach } from './attach.ts'
import { bundlesOf } from './attached-bundles.ts'
import type { ImageRegistry, ImageRepository } from './image-registry.ts'

const { signal } = new AbortController()
const image = manifestOf({ config: {}, layers: [] })

let folder: string
let fake: FakeRegistry

async function start(options: FakeOptions): Promise<void> {
  fake = await FakeRegistry.start(options)
  fake.manifests.set(`sha256:${image.sha256}`, { mediaType: image.mediaType, bytes: Buffer.from(image.bytes) })
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-attach-'))
})
afterEach(async () => {
  await fake[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

type Parts = { subjects?: readonly string[]; predicateType?: string; envelope?: object; bundle?: object; name?: string }

async function bundleFile({
  subjects = [image.sha256],
  predicateType = 'bitwitness:reproduced/v1',
  envelope,
  bundle,
  name = 'b',
}: Parts = {}) {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map((sha256, index) => ({ name: `subject ${index}`, digest: { sha256 } })),
    predicateType,
    predicate: {},
  }
  const payload = Buffer.from(JSON.stringify(statement)).toString('base64')
  const dsseEnvelope = { payloadType: 'application/vnd.in-toto+json', payload, signatures: [{ sig: 'AA==' }], ...envelope }
  const file = path.join(folder, `${name}.sigstore.json`)
  const text = JSON.stringify({ mediaType: BUNDLE_TYPE, verificationMaterial: {}, dsseEnvelope, ...bundle })
  await writeFile(file, text)
  return { file, sha256: digestOf(text), text }
}

const target = () => parsePinnedReference(`${fake.host}/owner/app@sha256:${image.sha256}`)

async function run(...bundles: readonly string[]) {
  await using registry = openTestRegistry()
  return await attach({ registry }, { bundles, image: target(), signal })
}

async function found(limits?: { count: number; bytes: number; totalBytes: number; seconds: number }) {
  await using registry = openTestRegistry()
  const repository = registry.repository(target(), { access: 'pull' })
  return await bundlesOf(repository, { digest: image.sha256, signal, ...(limits === undefined ? {} : { limits }) })
}

describe.each([
  ['the referrers API', {}, 'referrers-api'],
  ['no referrers API', { referrers: 'none' }, 'fallback-tag'],
] as const)('on a registry with %s', (_, options, via) => {
  it('a bundle is attached as cosign writes it, and found again', async () => {
    await start(options)
    const { file, sha256, text } = await bundleFile({ subjects: [digestOf('the tar'), image.sha256] })
    const report = await run(file)
    const [bundle] = report.bundles
    expect(report).toEqual({
      schema: 'bitwitness/attach-report/v1',
      verdict: 'attached',
      image: `${fake.host}/owner/app@sha256:${image.sha256}`,
      bundles: [{ sha256, predicateType: 'bitwitness:reproduced/v1', manifest: bundle?.manifest, state: 'attached' }],
      via,
    })
    expect(JSON.parse(fake.manifests.get(`sha256:${bundle?.manifest}`)?.bytes.toString() ?? '')).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: BUNDLE_TYPE,
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: `sha256:${digestOf('{}')}`, size: 2 },
      layers: [{ mediaType: BUNDLE_TYPE, digest: `sha256:${sha256}`, size: text.length }],
      subject: { mediaType: image.mediaType, digest: `sha256:${image.sha256}`, size: image.bytes.length },
      annotations: { 'dev.sigstore.bundle.content': 'dsse-envelope', 'dev.sigstore.bundle.predicateType': 'bitwitness:reproduced/v1' },
    })
    expect(await found()).toEqual({
      via,
      bundles: [{ manifest: bundle?.manifest, sha256, bytes: Buffer.from(text) }],
      skipped: [],
      truncated: false,
    })
  })

  it('a bundle that is attached twice is there once', async () => {
    await start(options)
    const one = await bundleFile({ name: 'one' })
    const two = await bundleFile({ name: 'two', predicateType: 'https://slsa.dev/provenance/v1' })
    expect((await run(one.file, one.file)).bundles.map(({ state }) => state)).toEqual(['attached', 'present'])
    fake.seen.length = 0
    expect((await run(one.file)).verdict).toBe('present')
    expect([...fake.requests('PUT'), ...fake.requests('POST')]).toEqual([])
    expect((await run(two.file, one.file)).bundles.map(({ state }) => state)).toEqual(['attached', 'present'])
    expect((await found()).bundles.map(({ sha256 }) => sha256)).toEqual([one.sha256, two.sha256])
  })

  it('a bundle that somebody else attached, with a time, is not attached again', async () => {
    await start(options)
    const { file, sha256 } = await bundleFile()
    const { bundles } = await run(file)
    const ours = `sha256:${bundles[0]?.manifest}`
    const manifest = JSON.parse(fake.manifests.get(ours)?.bytes.toString() ?? '') as { annotations: object }
    const annotations = { ...manifest.annotations, 'org.opencontainers.image.created': '2026-11-24T10:00:00Z' }
    const theirs = Buffer.from(JSON.stringify({ ...manifest, annotations }))
    fake.manifests.delete(ours)
    fake.manifests.set(`sha256:${digestOf(theirs)}`, { mediaType: image.mediaType, bytes: theirs })
    for (const [tag, digest] of Array.from(fake.tags)) {
      const index = fake.manifests.get(digest)
      const bytes = Buffer.from((index?.bytes.toString() ?? '').replace(ours, `sha256:${digestOf(theirs)}`))
      fake.manifests.set(`sha256:${digestOf(bytes)}`, { mediaType: index?.mediaType ?? '', bytes })
      fake.tags.set(tag, `sha256:${digestOf(bytes)}`)
    }
    expect((await run(file)).bundles).toEqual([
      { sha256, predicateType: 'bitwitness:reproduced/v1', manifest: digestOf(theirs), state: 'present' },
    ])
  })
})

it('what cosign lists without its type is found, and what else is listed so is passed over', async () => {
  await start({ referrers: 'none' })
  const one = await bundleFile({ name: 'one' })
  await run(one.file)
  const other = Buffer.from(JSON.stringify({ artifactType: 'x/y', subject: { digest: `sha256:${image.sha256}` }, layers: [] }))
  fake.manifests.set(`sha256:${digestOf(other)}`, { mediaType: image.mediaType, bytes: other })
  const tag = `sha256-${image.sha256}`
  const index = JSON.parse(fake.manifests.get(fake.tags.get(tag) ?? '')?.bytes.toString() ?? '') as { manifests: object[] }
  const gone = { digest: `sha256:${'0'.repeat(64)}` }
  const manifests = [...index.manifests, { digest: `sha256:${digestOf(other)}` }, gone].map((entry) => ({
    ...entry,
    mediaType: image.mediaType,
    size: 1,
    artifactType: 'application/vnd.oci.empty.v1+json',
    annotations: undefined,
  }))
  const bytes = Buffer.from(JSON.stringify({ ...index, manifests }))
  fake.manifests.set(`sha256:${digestOf(bytes)}`, { mediaType: 'application/vnd.oci.image.index.v1+json', bytes })
  fake.tags.set(tag, `sha256:${digestOf(bytes)}`)
  expect(await found()).toMatchObject({ bundles: [{ sha256: one.sha256 }], skipped: [], truncated: false })
  expect((await run(one.file)).verdict).toBe('present')
})

describe('a bundle is not attached', () => {
  it.each<[string, Parts, string]>([
    ['to an image that it is not about', { subjects: [digestOf('other')] }, 'bundle-of-another-subject'],
    ['without a subject', { subjects: [] }, 'statement-subject-missing'],
    ['of another version', { bundle: { mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.2' } }, 'bundle-unsupported'],
    ['of a message', { bundle: { dsseEnvelope: undefined, messageSignature: {} } }, 'bundle-unsupported'],
    ['with another payload', { envelope: { payloadType: 'text/plain' } }, 'bundle-unsupported'],
    ['with a payload that is no base64', { envelope: { payload: '*' } }, 'bundle-unsupported'],
    ['with a payload that is no statement', { envelope: { payload: 'e30=' } }, 'statement-type-unknown'],
  ])('%s, and the registry is not asked', async (_, parts, code) => {
    await start({})
    await expect(run((await bundleFile({ name: 'good' })).file, (await bundleFile(parts)).file)).rejects.toMatchObject({ code })
    expect(fake.seen).toEqual([])
  })

  it('where the image is not, or the file is not', async () => {
    await start({})
    execFileSync('mkfifo', [path.join(folder, 'pipe')])
    for (const file of ['absent', 'pipe', '.'])
      await expect(run(path.join(folder, file))).rejects.toMatchObject({ code: 'file-unreadable' })
    fake.manifests.clear()
    await expect(run((await bundleFile()).file)).rejects.toMatchObject({ code: 'registry-not-found' })
  })
})

describe('what strangers attach', () => {
  const head = { artifactType: BUNDLE_TYPE, subject: { digest: `sha256:${image.sha256}` } }
  const write = (text: string): void => {
    const bytes = Buffer.from(text)
    fake.manifests.set(`sha256:${digestOf(bytes)}`, { mediaType: image.mediaType, bytes })
  }
  const entry = (value: object): void => write(JSON.stringify({ ...head, ...value }))
  const layer = (text: string, change: object = {}) => ({
    mediaType: BUNDLE_TYPE,
    digest: `sha256:${digestOf(text)}`,
    size: text.length,
    ...change,
  })

  it('hides no bundle that is one', async () => {
    await start({})
    for (const layers of [
      [],
      null,
      [layer('a'), layer('b')],
      [layer('a', { mediaType: 'text/plain' })],
      [layer('a', { digest: 'sha512:00' })],
      [layer('gone')],
      [layer('lie', { size: 5 })],
      [layer('big', { size: 2 ** 40 })],
      [layer('x', { size: -1 })],
    ])
      entry({ layers })
    fake.blobs.set(`sha256:${digestOf('lie')}`, Buffer.from('lie'))
    const { file, sha256 } = await bundleFile()
    await run(file)
    const { bundles, skipped } = await found()
    expect(bundles.map((one) => one.sha256)).toEqual([sha256])
    expect(skipped.map(({ code }) => code).toSorted()).toEqual([
      ...Array.from({ length: 7 }, () => 'attached-bundle-malformed'),
      'registry-digest-differs',
      'registry-not-found',
    ])
  })

  it('is read in one way only, and what is not hides no bundle', async () => {
    await start({})
    const layers = JSON.stringify([layer('read')])
    fake.blobs.set(`sha256:${digestOf('read')}`, Buffer.from('read'))
    const named = JSON.stringify(head).slice(0, -1)
    write(`${named},"layers":[],"layers":${layers}}`)
    write(`${named},"layers":${layers},"deep":${'['.repeat(1000)}${']'.repeat(1000)}}`)
    write(`${named},"layers":${layers},"number":9007199254740993}`)
    const { file, sha256 } = await bundleFile()
    expect((await run(file)).verdict).toBe('attached')
    expect((await run(file)).verdict).toBe('present')
    const { bundles, skipped } = await found()
    expect(bundles.map((one) => one.sha256)).toEqual([sha256])
    expect(skipped.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'attached-bundle-malformed'))
  })

  it.each([
    ['no JSON', '{', 'attached-bundle-malformed'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'attached-bundle-malformed'],
    ['nothing', null, 'attached-bundle-malformed'],
    ['what no client would hand on', new Failure({ code: 'x-malformed', message: '', hint: '' }), 'x-malformed'],
  ])('hides no bundle where a registry gives %s in the place of a manifest', async (_, answer, code) => {
    await start({})
    entry({ layers: [] })
    const bad = [...fake.manifests.keys()].at(-1)
    const { file, sha256 } = await bundleFile()
    const of = (repository: ImageRepository): ImageRepository =>
      Object.create(repository, {
        manifest: {
          value: async (digest: Sha256) => {
            if (`sha256:${digest}` !== bad) return await repository.manifest(digest, signal)
            if (answer instanceof Failure) throw answer
            return answer === null ? null : { mediaType: image.mediaType, bytes: Buffer.from(answer), sha256: digest }
          },
        },
      }) as ImageRepository
    await using registry = openTestRegistry()
    const other = { repository: (...args: Parameters<ImageRegistry['repository']>) => of(registry.repository(...args)) } as ImageRegistry
    expect((await attach({ registry: other }, { bundles: [file], image: target(), signal })).verdict).toBe('attached')
    const { bundles, skipped } = await bundlesOf(other.repository(target(), { access: 'pull' }), { digest: image.sha256, signal })
    expect([bundles.map((one) => one.sha256), skipped.map((one) => one.code)]).toEqual([[sha256], [code]])
  })

  it('is read up to a bound, and what is beyond it is said', async () => {
    await start({})
    for (const text of ['first', 'second', 'third']) {
      fake.blobs.set(`sha256:${digestOf(text)}`, Buffer.from(text))
      entry({ layers: [layer(text)] })
    }
    const texts = ({ bundles }: Awaited<ReturnType<typeof found>>) => bundles.map(({ bytes }) => Buffer.from(bytes).toString())
    const two = await found({ count: 2, bytes: 100, totalBytes: 100, seconds: 60 })
    expect([texts(two), two.truncated]).toEqual([['first', 'second'], true])
    const small = await found({ count: 9, bytes: 5, totalBytes: 100, seconds: 60 })
    expect([texts(small), small.skipped.map(({ code }) => code)]).toEqual([['first', 'third'], ['attached-bundle-malformed']])
    await expect(found({ count: 9, bytes: 100, totalBytes: 100, seconds: 0 })).rejects.toMatchObject({ code: 'registry-unreachable' })
    const total = await found({ count: 9, bytes: 100, totalBytes: 11, seconds: 60 })
    expect([texts(total), total.skipped.map(({ code }) => code)]).toEqual([['first', 'second'], ['attached-bundle-malformed']])
  })
})
