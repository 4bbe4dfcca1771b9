import { describe, expect, it } from 'vitest'
import { OCI_INDEX, OCI_MANIFEST } from '../../verifier/model/oci-types.ts'
import type { Descriptor, Manifest } from '../app/image-registry.ts'
import { listReferrers } from './referrers.ts'
import { pushReferrer } from './referrers-push.ts'
import { answer, digestOf, type FakeOptions, FakeRegistry } from './testing/fake-registry.ts'
import { manifestOf, never, openSession } from './testing/open.ts'

const TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const image = manifestOf({ layers: [] })
const tag = `sha256-${image.sha256}`

function referrer(name: string, artifactType = TYPE): { manifest: Manifest; entry: Descriptor } {
  const annotations = { name }
  const manifest = manifestOf({ artifactType, layers: [], subject: { digest: `sha256:${image.sha256}` }, annotations })
  const entry = { mediaType: OCI_MANIFEST, sha256: manifest.sha256, size: manifest.bytes.length, artifactType, annotations }
  return { manifest, entry }
}

const push = (fake: FakeRegistry, { manifest, entry }: ReturnType<typeof referrer>) =>
  pushReferrer(openSession(fake.host), { referrer: manifest, subject: image.sha256, entry, signal: never })

const list = (fake: FakeRegistry) => listReferrers(openSession(fake.host), { subject: image.sha256, artifactType: TYPE, signal: never })

const [one, two, three] = [referrer('one'), referrer('two'), referrer('three')]

function tagged(fake: FakeRegistry): unknown {
  return JSON.parse(fake.manifests.get(fake.tags.get(tag) ?? '')?.bytes.toString() ?? 'null')
}

describe('a registry with the referrers API', () => {
  it.each(['api', 'quiet-api'] as const)('(%s) lists what was pushed, without a tag', async (referrers) => {
    await using fake = await FakeRegistry.start({ referrers })
    expect(await push(fake, one)).toBe('referrers-api')
    expect(await list(fake)).toEqual({ via: 'referrers-api', entries: [one.entry], truncated: false })
    expect(fake.tags.size).toBe(0)
  })

  it('is read page by page, and no other type is taken from it', async () => {
    await using fake = await FakeRegistry.start({ referrersPerPage: 1 })
    for (const each of [one, referrer('other', 'application/spdx+json'), two, three]) await push(fake, each)
    expect((await list(fake)).entries).toEqual([one.entry, two.entry, three.entry])
    expect(fake.requests('GET', '/referrers/').length).toBeGreaterThanOrEqual(4)
  })

  it('whose pages never end is read no further than a bound, which is said', async () => {
    const page = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }
    await using fake = await FakeRegistry.start({
      intercept: (request, response) => {
        const headers = { 'content-type': OCI_INDEX, link: `<${request.url}&x>; rel="next"` }
        response.writeHead(200, headers).end(JSON.stringify(page))
        return true
      },
    })
    expect(await list(fake)).toEqual({ via: 'referrers-api', entries: [], truncated: true })
    expect(fake.requests('GET')).toHaveLength(50)
  })

  it.each(['https://other.example/v2/x', 'http://192.0.2.1/', 'http://['])('whose next page is %s is not followed', async (next) => {
    await using fake = await FakeRegistry.start({
      intercept: (_, response) => {
        response.writeHead(200, { 'content-type': OCI_INDEX, link: `<${next}>; rel="next"` }).end('{"manifests":[]}')
        return true
      },
    })
    await expect(list(fake)).rejects.toMatchObject({ code: 'registry-redirect-refused' })
  })

  it('that answers no list is not believed', async () => {
    for (const body of ['{}', '[]', '{"manifests":{}}', 'x']) {
      await using fake = await FakeRegistry.start({
        intercept: (_, response) => answer(response, 200, { 'content-type': OCI_INDEX }, body),
      })
      await expect(list(fake)).rejects.toMatchObject({ code: 'registry-answer-malformed' })
    }
  })

  it('has entries that are none, which are passed over', async () => {
    const manifests = [null, {}, { ...one.entry, digest: 'sha512:00' }, { mediaType: 'x', digest: `sha256:${one.entry.sha256}`, size: -1 }]
    await using fake = await FakeRegistry.start({
      intercept: (_, response) => answer(response, 200, { 'content-type': OCI_INDEX }, JSON.stringify({ manifests })),
    })
    expect((await list(fake)).entries).toEqual([])
  })
})

describe('a registry without it', () => {
  it('keeps the list in a tag, in which nothing of others is lost', async () => {
    await using fake = await FakeRegistry.start({ referrers: 'none' })
    expect(await list(fake)).toEqual({ via: 'fallback-tag', entries: [], truncated: false })
    expect(await push(fake, one)).toBe('fallback-tag')
    const foreign = { mediaType: OCI_MANIFEST, digest: `sha256:${'1'.repeat(64)}`, size: 7, artifactType: 'x/y', platform: { os: 'linux' } }
    const index = tagged(fake) as { manifests: unknown[] }
    const bytes = Buffer.from(JSON.stringify({ ...index, manifests: [foreign, ...index.manifests] }))
    fake.manifests.set(digestOf(bytes), { mediaType: OCI_INDEX, bytes })
    fake.tags.set(tag, digestOf(bytes))
    expect(await push(fake, two)).toBe('fallback-tag')
    const descriptors = [one, two].map(({ entry: { sha256, ...rest } }) => ({ ...rest, digest: `sha256:${sha256}` }))
    expect(tagged(fake)).toEqual({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [foreign, ...descriptors] })
    expect((await list(fake)).entries).toEqual([one.entry, two.entry])
  })

  it('is written once for the same referrer', async () => {
    await using fake = await FakeRegistry.start({ referrers: 'none' })
    await push(fake, one)
    await push(fake, one)
    expect((tagged(fake) as { manifests: unknown[] }).manifests).toHaveLength(1)
  })

  it.each([true, false])('loses no entry to another writer, with ETags %s', async (etags) => {
    await using fake = await FakeRegistry.start({ referrers: 'none', etags })
    const all = Array.from({ length: 6 }, (_, index) => referrer(`parallel ${index}`))
    await Promise.all(all.map((each) => push(fake, each)))
    expect((await list(fake)).entries.map(({ sha256 }) => sha256).toSorted()).toEqual(all.map(({ entry }) => entry.sha256).toSorted())
  })

  /** Writes a list without ours right after each time that we wrote one. */
  const rival = (times: number): FakeOptions => {
    let left = times
    return {
      referrers: 'none',
      intercept: (request, response, fake) => {
        if (request.method === 'PUT' && request.url?.endsWith(tag)) {
          response.on('finish', () => {
            if (left-- <= 0) return
            const bytes = Buffer.from(
              JSON.stringify({
                schemaVersion: 2,
                mediaType: OCI_INDEX,
                manifests: [{ mediaType: OCI_MANIFEST, digest: `sha256:${'2'.repeat(64)}`, size: 1 }],
              }),
            )
            fake.manifests.set(digestOf(bytes), { mediaType: OCI_INDEX, bytes })
            fake.tags.set(tag, digestOf(bytes))
          })
        }
        return false
      },
    }
  }

  it('gets an entry again that another writer threw out', async () => {
    await using fake = await FakeRegistry.start(rival(3))
    expect(await push(fake, one)).toBe('fallback-tag')
    expect((tagged(fake) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest)).toEqual([
      `sha256:${'2'.repeat(64)}`,
      `sha256:${one.entry.sha256}`,
    ])
  })

  it('with a writer that never gives way is left, and that is said', async () => {
    await using fake = await FakeRegistry.start(rival(1000))
    await expect(push(fake, one)).rejects.toMatchObject({ code: 'registry-referrers-contended', retryable: true })
  })

  it('with something else under that tag is not written over', async () => {
    await using fake = await FakeRegistry.start({ referrers: 'none' })
    fake.manifests.set(`sha256:${image.sha256}`, { mediaType: OCI_MANIFEST, bytes: Buffer.from(image.bytes) })
    fake.tags.set(tag, `sha256:${image.sha256}`)
    await expect(push(fake, one)).rejects.toMatchObject({ code: 'registry-answer-malformed' })
    expect(fake.tags.get(tag)).toBe(`sha256:${image.sha256}`)
    expect((await list(fake)).entries).toEqual([])
  })
})
