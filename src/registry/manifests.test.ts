import { describe, expect, it } from 'vitest'
import { OCI_INDEX, OCI_MANIFEST } from '../../verifier/model/oci-types.ts'
import { getManifest, pushManifest, pushTag } from './manifests.ts'
import { digestOf, type FakeOptions, FakeRegistry } from './testing/fake-registry.ts'
import { manifestOf, never, openSession } from './testing/open.ts'

const manifest = manifestOf({ layers: [] })
const other = manifestOf({ layers: [], annotations: { other: 'yes' } })
const reference = `sha256:${manifest.sha256}`

const answering = (bytes: string | Uint8Array, headers: Record<string, string> = { 'content-type': OCI_MANIFEST }): FakeOptions => ({
  intercept: (request, response) => {
    if (request.method !== 'GET') return false
    response.writeHead(200, headers).end(bytes)
    return true
  },
})

describe('a manifest', () => {
  it('is there, or is not', async () => {
    await using fake = await FakeRegistry.start()
    const session = openSession(fake.host)
    expect(await getManifest(session, reference, never)).toBeNull()
    expect(await pushManifest(session, manifest, never)).toBe('pushed')
    expect(await pushManifest(session, manifest, never)).toBe('present')
    expect(await getManifest(session, reference, never)).toMatchObject({ sha256: manifest.sha256, mediaType: OCI_MANIFEST })
    expect(fake.requests('PUT').map(({ url, headers }) => [url, headers['content-type']])).toEqual([
      [`/v2/owner/app/manifests/${reference}`, OCI_MANIFEST],
    ])
  })

  const text = Buffer.from(manifest.bytes).toString()
  it.each([
    ['of other bytes', text.replace('layers', 'Layers'), { 'content-type': OCI_MANIFEST }, 'registry-digest-differs'],
    [
      'under another digest',
      text,
      { 'content-type': OCI_MANIFEST, 'docker-content-digest': digestOf(other.bytes) },
      'registry-digest-differs',
    ],
    ['of another kind than it says', text, { 'content-type': OCI_INDEX }, 'registry-answer-malformed'],
    ['of no kind', text, {}, 'registry-answer-malformed'],
  ])('%s is refused', async (_, bytes, headers, code) => {
    await using fake = await FakeRegistry.start(answering(bytes, headers as Record<string, string>))
    await expect(getManifest(openSession(fake.host), reference, never)).rejects.toMatchObject({ code })
  })

  it.each([
    ['no JSON', 'x'],
    ['a list', '[]'],
    ['image and index at once', '{"layers":[],"manifests":[]}'],
    ['config and index at once', '{"config":{},"manifests":[]}'],
  ])('that is %s is refused even under its own digest', async (_, bytes) => {
    await using fake = await FakeRegistry.start(answering(bytes))
    await expect(getManifest(openSession(fake.host), digestOf(Buffer.from(bytes)), never)).rejects.toMatchObject({
      code: 'registry-answer-malformed',
    })
  })

  it('without end is read no further than a manifest can be', async () => {
    let sent = 0
    await using fake = await FakeRegistry.start({
      intercept: (_, response) => {
        response.writeHead(200, { 'content-type': OCI_MANIFEST })
        const part = Buffer.alloc(65536, 0x20)
        const more = (): void => {
          sent += part.length
          if (response.write(part)) setImmediate(more)
          else response.once('drain', more)
        }
        more()
        return true
      },
    })
    await expect(getManifest(openSession(fake.host), reference, never)).rejects.toMatchObject({ code: 'registry-answer-too-large' })
    expect(sent).toBeLessThan(64 * 1024 ** 2)
  })

  it('that the registry changes on its way in is no manifest pushed', async () => {
    const headers = { 'content-type': OCI_MANIFEST }
    let put = false
    await using fake = await FakeRegistry.start({
      intercept: (request, response) => {
        if (request.method === 'PUT') put = true
        if (request.method !== 'GET') return false
        if (put) response.writeHead(200, headers).end(other.bytes)
        else response.writeHead(404).end()
        return true
      },
    })
    await expect(pushManifest(openSession(fake.host), manifest, never)).rejects.toMatchObject({ code: 'registry-digest-differs' })
  })

  it('that is not taken is told with the number of the answer alone', async () => {
    await using fake = await FakeRegistry.start({
      intercept: (request, response) => {
        if (request.method !== 'PUT') return false
        response.writeHead(400).end('{"errors":[{"message":"planted"}]}')
        return true
      },
    })
    const error: unknown = await pushManifest(openSession(fake.host), manifest, never).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'registry-refused', data: { status: 400, action: 'manifest' } })
    expect(JSON.stringify(error)).not.toContain('planted')
  })
})

describe('a tag', () => {
  it('says what became of it', async () => {
    await using fake = await FakeRegistry.start()
    const session = openSession(fake.host)
    expect(await pushTag(session, { manifest, tag: 'v1', signal: never })).toEqual({ state: 'pushed' })
    expect(await pushTag(session, { manifest, tag: 'v1', signal: never })).toEqual({ state: 'present' })
    expect(await pushTag(session, { manifest: other, tag: 'v1', signal: never })).toEqual({ state: 'moved', from: manifest.sha256 })
    expect(fake.tags.get('v1')).toBe(`sha256:${other.sha256}`)
  })
})
