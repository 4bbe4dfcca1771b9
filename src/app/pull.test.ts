import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { parsePinnedReference } from '../../verifier/model/image-reference.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../verifier/model/oci-types.ts'
import { type FakeOptions, FakeRegistry } from '../registry/testing/fake-registry.ts'
import { openTestRegistry } from '../registry/testing/open.ts'
import { type PullCommand, pull } from './pull.ts'

const layers = [randomBytes(100_000), randomBytes(50_000)]
const config = Buffer.from('{"rootfs":{}}')

let folder: string
let fake: FakeRegistry
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-pull-'))
})
afterEach(async () => {
  await fake[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const descriptor = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: `sha256:${digestOf(bytes)}`, size: bytes.length })
const tar = (bytes: Buffer) => descriptor('application/vnd.oci.image.layer.v1.tar', bytes)

async function start(
  change: object = {},
  options: FakeOptions = {},
  mediaType = OCI_MANIFEST,
  text = (json: string) => json,
): Promise<string> {
  fake = await FakeRegistry.start(options)
  for (const bytes of [config, ...layers]) fake.blobs.set(`sha256:${digestOf(bytes)}`, bytes)
  const value = { schemaVersion: 2, mediaType, config: descriptor(OCI_CONFIG, config), layers: layers.map(tar), ...change }
  const bytes = Buffer.from(text(JSON.stringify(value)))
  fake.manifests.set(`sha256:${digestOf(bytes)}`, { mediaType, bytes })
  return `${fake.host}/owner/app@sha256:${digestOf(bytes)}`
}

async function run(name: string, change: Partial<PullCommand> = {}) {
  await using registry = openTestRegistry()
  const output = path.join(folder, 'out')
  return await pull(
    { registry },
    { image: parsePinnedReference(name), output, maxBytes: 1 << 30, signal: new AbortController().signal, ...change },
  )
}

describe('a pull', () => {
  it('gives a layout with every byte of the image', async () => {
    const name = await start()
    const done: number[] = []
    const report = await run(name, { onBytes: (bytes) => done.push(bytes) })
    expect(report).toEqual({
      schema: 'bitwitness/pull-report/v1',
      verdict: 'pulled',
      image: name,
      folder: path.join(folder, 'out'),
      layers: layers.map((bytes) => ({ mediaType: tar(bytes).mediaType, sha256: digestOf(bytes), size: bytes.length })),
      size: report.size,
    })
    expect(done.at(-1)).toBe(150_000 + config.length)
    for (const bytes of layers) expect((await readFile(path.join(folder, 'out/blobs/sha256', digestOf(bytes)))).equals(bytes)).toBe(true)
    expect((await readdir(path.join(folder, 'out'))).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout'])
    expect(await readdir(folder)).toEqual(['out'])
  })

  it('fetches a layer that stands twice once', async () => {
    const [one = Buffer.alloc(0)] = layers
    await run(await start({ layers: [tar(one), tar(one)] }))
    expect(fake.requests('GET', digestOf(one))).toHaveLength(1)
  })

  it('of an image without layers is one', async () => {
    expect((await run(await start({ layers: [] }))).layers).toEqual([])
  })
})

describe('a pull leaves nothing behind', () => {
  const lying: FakeOptions = {
    intercept: (request, response, self) => {
      if (request.method !== 'GET' || !request.url?.includes('/blobs/')) return false
      const digest = request.url.slice(request.url.lastIndexOf('/') + 1)
      const { length = 0 } = self.blobs.get(digest) ?? {}
      response.writeHead(200).end(randomBytes(length))
      return true
    },
  }
  it.each<[string, string, () => Promise<unknown>]>([
    ['that is larger than is fetched', 'registry-image-too-large', async () => run(await start(), { maxBytes: 149_999 })],
    ['whose bytes are other ones', 'registry-digest-differs', async () => run(await start({}, lying))],
    ['that is an index', 'registry-image-unsupported', async () => run(await start({ config: undefined, layers: undefined, manifests: [] }, {}, OCI_INDEX))],
    ["that is Docker's own kind", 'registry-image-unsupported', async () => run(await start({}, {}, 'application/vnd.docker.distribution.manifest.v2+json'))],
    ['that is no image', 'registry-image-unsupported', async () => run(await start({ config: { ...descriptor('x/y', config) } }))],
    ['with a path for a digest', 'registry-image-unsupported', async () => run(await start({ layers: [{ ...tar(config), digest: 'sha256:../../../../etc/passwd' }] }))],
    ['with a layer by another algorithm', 'registry-image-unsupported', async () => run(await start({ layers: [{ ...tar(config), digest: `sha512:${'0'.repeat(128)}` }] }))],
    ['with too many layers', 'registry-image-unsupported', async () => run(await start({ layers: Array.from({ length: 129 }, () => tar(config)) }))],
    ['with two sizes for one layer', 'oci-blob-differs', async () => run(await start({ layers: [{ ...tar(config), size: 5 }, tar(config)] }))],
    ['that can be read in two ways', 'json-duplicate-key', async () => run(await start({}, {}, OCI_MANIFEST, (json) => json.replace('{', '{"layers":[],')))],
    ['that is not there', 'registry-not-found', async () => run((await start()).replace(/[0-9a-f]{64}$/, '0'.repeat(64)))],
  ])('of an image %s', async (_, code, act) => {
    await expect(act()).rejects.toMatchObject({ code })
    expect(await readdir(folder)).toEqual([])
  }) // biome-ignore format: one a line

  it('where there is something already', async () => {
    const name = await start()
    await mkdir(path.join(folder, 'out'))
    await writeFile(path.join(folder, 'out', 'mine'), '')
    await expect(run(name)).rejects.toMatchObject({ code: 'output-not-empty' })
    await writeFile(path.join(folder, 'file'), '')
    await expect(run(name, { output: path.join(folder, 'file') })).rejects.toMatchObject({ code: 'output-unusable' })
    await expect(run(name, { output: path.join(folder, 'absent', 'out') })).rejects.toMatchObject({ code: 'output-unusable' })
    await symlink('nowhere', path.join(folder, 'link'))
    fake.seen.length = 0
    await expect(run(name, { output: path.join(folder, 'link') })).rejects.toMatchObject({ code: 'output-unusable' })
    expect(fake.seen).toEqual([])
    expect((await readdir(folder)).toSorted()).toEqual(['file', 'link', 'out'])
  })
})
