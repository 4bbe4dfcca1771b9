import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { execa } from 'execa'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { digestOf } from '../bytes/digest-of.ts'
import type { Artifact } from '../model/attempt.ts'
import type { Claim } from '../model/claim.ts'
import { canonicaliseTar } from './canonicalise.ts'
import { compareClaimedFile } from './compare-claimed-file.ts'
import type { BuiltImage } from './judge-claimed.ts'
import { type OciImage, packOci } from './oci-image.ts'
import { writeOciLayout } from './oci-layout.ts'
import { MemoryBlobs, scratchFolder } from './testing/canonical.ts'
import { artifact, claim, FULL_CONFIG } from './testing/image.ts'
import { packMembers, unpackMembers } from './testing/members.ts'
import { gnuTar, MKOSI_TAR, makeTree } from './testing/real-tree.ts'

// Each comparison starts a thread.
vi.setConfig({ testTimeout: 60_000 })

const blobs = new MemoryBlobs()
let scratch: Awaited<ReturnType<typeof scratchFolder>>
/** What a publisher's mkosi wrote, and its canonical form, which our builder made. */
let plain: Buffer
let canonical: Buffer
let image: OciImage
let built: Artifact

beforeAll(async () => {
  scratch = await scratchFolder()
  await makeTree(scratch.at('tree'))
  // As on a disk that lists its folders in another order.
  await gnuTar(MKOSI_TAR, scratch.at('tree'), scratch.at('root.tar'), ['./zperl', './var', './usr', './usr-local', './etc'])
  plain = await readFile(scratch.at('root.tar'))
  const facts = await canonicaliseTar({ input: scratch.at('root.tar'), output: scratch.at('canonical.tar'), blobs })
  canonical = await readFile(scratch.at('canonical.tar'))
  image = packOci({ layer: facts.canonical, created: 1, architecture: 'amd64', config: FULL_CONFIG })
  built = artifact({
    sha256: facts.canonical.sha256,
    treeManifest: facts.treeManifest,
    oci: { manifest: image.manifest.sha256, config: image.config.sha256, layer: image.layer.sha256 },
  })
})
afterAll(() => scratch[Symbol.asyncDispose]())
beforeEach(async () => {
  await rm(scratch.at('work'), { recursive: true, force: true })
  await mkdir(scratch.at('work'))
})

function ours(): BuiltImage {
  return { manifest: image.manifest.bytes, config: image.config.bytes, layers: [image.layer.sha256] }
}

async function compare(path: string, claimed: Claim, fields: { artifact?: Artifact } = {}) {
  const held = { index: 0, attempt: 1, artifact: fields.artifact ?? built, image: ours() }
  return compareClaimedFile({ claim: claimed, path, scratch: scratch.at('work'), maxBytes: 1024 ** 3, blobs, ...held })
}

async function compareBytes(bytes: Uint8Array, claimed = claim(digestOf(bytes)), fields: { artifact?: Artifact } = {}) {
  await writeFile(scratch.at('given'), bytes)
  return compare(scratch.at('given'), claimed, fields)
}

describe('a claimed file', () => {
  test('that is the canonical tar itself is bit-exact', async () => {
    const { comparison } = await compareBytes(canonical)
    expect(comparison).toMatchObject({
      result: 'equal',
      tier: 'bit-exact',
      transformations: [],
      left: { attempt: 1, sha256: built.sha256 },
    })
  })

  test("that is mkosi's own tar is content-equal, each transformation named", async () => {
    const { comparison, treeManifests } = await compareBytes(plain)
    expect(comparison).toEqual({
      claim: 0,
      left: { attempt: 1, artifact: 'image.tar', sha256: built.sha256 },
      right: { attempt: null, artifact: null, sha256: digestOf(plain) },
      result: 'equal',
      tier: 'content-equal',
      transformations: ['tar-member-order', 'hard-link-leader', 'tar-encoding'],
      reason: null,
    })
    expect(treeManifests).toEqual([built.treeManifest])
  })

  test('that was compressed is content-equal by compression, if the claim is on the compressed bytes', async () => {
    for (const compressed of [gzipSync(canonical), zstdCompressSync(canonical)]) {
      expect((await compareBytes(compressed)).comparison).toMatchObject({ tier: 'content-equal', transformations: ['compression'] })
      expect((await compareBytes(compressed, claim(digestOf(canonical)))).comparison).toMatchObject({
        tier: 'bit-exact',
        transformations: [],
      })
    }
    expect((await compareBytes(gzipSync(plain))).comparison.transformations).toEqual([
      'tar-member-order',
      'hard-link-leader',
      'tar-encoding',
      'compression',
    ])
  })

  test('that has another content is different', async () => {
    const members = unpackMembers(canonical)
    const other = packMembers(
      members.map((one) => (one.content.length === 0 ? one : { ...one, content: Buffer.alloc(one.content.length, 7) })),
    )
    const { comparison, treeManifests } = await compareBytes(other)
    expect(comparison).toMatchObject({ result: 'different', tier: null, transformations: [] })
    expect(blobs.held.has(treeManifests[0] ?? '')).toBe(true)
    expect(treeManifests[0]).not.toBe(built.treeManifest)
  })

  test('that canonical form refuses is not comparable', async () => {
    const members = unpackMembers(canonical)
    const { comparison } = await compareBytes(packMembers([...members, ...members.slice(-1)]))
    expect(comparison).toMatchObject({ result: 'not-comparable', tier: null, reason: expect.stringContaining('tar-path-duplicate') })
    expect((await compareBytes(Buffer.from('no tar at all'))).comparison).toMatchObject({ result: 'not-comparable' })
    expect((await compareBytes(Buffer.concat([canonical, Buffer.from('x')]))).comparison).toMatchObject({ result: 'not-comparable' })
  })

  test('against an artifact that canonical form refused is not comparable', async () => {
    const refused = { ...built, notComparable: 'tar-path-duplicate' }
    expect((await compareBytes(canonical, claim(digestOf(canonical)), { artifact: refused })).comparison).toMatchObject({
      result: 'not-comparable',
    })
  })

  test('that is not the claimed one is refused, whatever it is', async () => {
    await expect(compareBytes(canonical, claim(digestOf(plain)))).rejects.toMatchObject({ code: 'claimed-file-differs' })
    await expect(compareBytes(gzipSync(canonical), claim(digestOf(plain)))).rejects.toMatchObject({ code: 'claimed-file-differs' })
  })
})

describe('a claimed image', () => {
  const layout = async (one: OciImage, layer: Uint8Array): Promise<string> => {
    await writeFile(scratch.at('work/layer.tar'), layer)
    await writeOciLayout(scratch.at('work/oci'), one, scratch.at('work/layer.tar'))
    return scratch.at('work/oci')
  }
  const onManifest = (one: OciImage): Claim => claim(one.manifest.sha256, { kind: 'oci-manifest' })
  const pack = (layer: Uint8Array, fields: { created?: number; cmd?: string[] } = {}): OciImage =>
    packOci({
      layer: { sha256: digestOf(layer), size: layer.length },
      created: fields.created ?? 1,
      architecture: 'amd64',
      config: { ...FULL_CONFIG, cmd: fields.cmd ?? FULL_CONFIG.cmd },
    })

  test('that is ours is bit-exact', async () => {
    const { comparison } = await compare(await layout(image, canonical), onManifest(image))
    expect(comparison).toMatchObject({ result: 'equal', tier: 'bit-exact', left: { sha256: image.manifest.sha256 } })
  })

  test('with the same layer in another order is content-equal, as folder and as tar', async () => {
    const theirs = pack(plain)
    const folder = await layout(theirs, plain)
    const expected = { result: 'equal', tier: 'content-equal', transformations: ['tar-member-order', 'hard-link-leader', 'tar-encoding'] }
    expect((await compare(folder, onManifest(theirs))).comparison).toMatchObject(expected)
    await execa('tar', ['--create', '--file', scratch.at('given'), '--directory', folder, '--', 'oci-layout', 'index.json', 'blobs'])
    expect((await compare(scratch.at('given'), onManifest(theirs))).comparison).toMatchObject(expected)
  })

  test('with another command, or another time, is different though its layer is ours', async () => {
    for (const fields of [{ cmd: ['/bin/sh'] }, { created: 2 }]) {
      for (const layer of [plain, canonical]) {
        const theirs = pack(layer, fields)
        const { comparison } = await compare(await layout(theirs, layer), onManifest(theirs))
        expect(comparison).toMatchObject({ result: 'different', tier: null, reason: 'the image configs differ' })
        await rm(scratch.at('work'), { recursive: true })
        await mkdir(scratch.at('work'))
      }
    }
  })

  test('whose config is only written differently is never bit-exact', async () => {
    const config = Buffer.from(`${Buffer.from(image.config.bytes).toString()}\n`)
    const theirs = rewritten({ config, layer: image.layer })
    const { comparison } = await compare(await layout(theirs, canonical), onManifest(theirs))
    expect(comparison).toMatchObject({ result: 'different', tier: null })
  })

  test('whose manifest is only written differently is never bit-exact', async () => {
    const theirs = rewritten({ config: image.config.bytes, layer: image.layer, indent: 1 })
    expect(theirs.manifest.sha256).not.toBe(image.manifest.sha256)
    const { comparison } = await compare(await layout(theirs, canonical), onManifest(theirs))
    expect(comparison).toMatchObject({ result: 'different', tier: null, reason: 'the image manifests are written differently' })
  })

  test('whose manifest says more is different', async () => {
    const theirs = rewritten({ config: image.config.bytes, layer: image.layer, annotations: { note: 'x' } })
    const { comparison } = await compare(await layout(theirs, canonical), onManifest(theirs))
    expect(comparison).toMatchObject({ result: 'different', reason: expect.stringContaining('manifests') })
  })

  test('whose layer says to be of another kind than it is, is different', async () => {
    for (const [bytes, said] of [
      [canonical, '.tar+gzip'],
      [gzipSync(canonical), '.tar'],
      [zstdCompressSync(canonical), '.tar+gzip'],
      [gzipSync(canonical), '.nondistributable.tar+gzip'],
    ] as const) {
      const layer = { sha256: digestOf(bytes), size: bytes.length }
      const theirs = rewritten({ config: image.config.bytes, layer, mediaType: `application/vnd.oci.image.layer.v1${said}` })
      const { comparison } = await compare(await layout(theirs, bytes), onManifest(theirs))
      expect(comparison).toMatchObject({ result: 'different', tier: null, reason: expect.stringContaining('media type') })
      await rm(scratch.at('work'), { recursive: true })
      await mkdir(scratch.at('work'))
    }
  })

  test('whose layer is compressed, and says so, is content-equal', async () => {
    const bytes = gzipSync(canonical)
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip'
    const theirs = rewritten({ config: image.config.bytes, layer: { sha256: digestOf(bytes), size: bytes.length }, mediaType })
    const { comparison } = await compare(await layout(theirs, bytes), onManifest(theirs))
    expect(comparison).toMatchObject({ result: 'equal', tier: 'content-equal', transformations: ['compression'] })
  })

  test('whose config begins with a byte order mark cannot be read', async () => {
    const config = Buffer.from(`\ufeff${Buffer.from(image.config.bytes).toString()}`)
    const theirs = rewritten({ config, layer: image.layer })
    await expect(compare(await layout(theirs, canonical), onManifest(theirs))).rejects.toMatchObject({ code: 'oci-layout-malformed' })
  })

  test('whose manifest is nested without end cannot be read', async () => {
    const deep = JSON.parse(`${'['.repeat(1500)}${']'.repeat(1500)}`) as Record<string, string>
    const theirs = rewritten({ config: image.config.bytes, layer: image.layer, annotations: deep })
    await expect(compare(await layout(theirs, canonical), onManifest(theirs))).rejects.toMatchObject({ code: 'oci-layout-malformed' })
  })

  test('whose config names other layers than it has is not comparable', async () => {
    const theirs = rewritten({ config: image.config.bytes, layer: { sha256: digestOf(plain), size: plain.length } })
    const { comparison } = await compare(await layout(theirs, plain), onManifest(theirs))
    expect(comparison).toMatchObject({ result: 'not-comparable', reason: expect.stringContaining('diff_ids') })
  })

  test('that is another one is refused', async () => {
    const theirs = pack(plain)
    await expect(compare(await layout(theirs, plain), onManifest(image))).rejects.toMatchObject({ code: 'claimed-file-differs' })
  })
})

function rewritten(o: {
  config: Uint8Array
  layer: OciImage['layer']
  annotations?: Record<string, string>
  indent?: number
  mediaType?: string
}): OciImage {
  const manifest = Buffer.from(
    JSON.stringify(
      {
        ...(o.annotations === undefined ? {} : { annotations: o.annotations }),
        config: { digest: `sha256:${digestOf(o.config)}`, mediaType: 'application/vnd.oci.image.config.v1+json', size: o.config.length },
        layers: [
          { digest: `sha256:${o.layer.sha256}`, mediaType: o.mediaType ?? 'application/vnd.oci.image.layer.v1.tar', size: o.layer.size },
        ],
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        schemaVersion: 2,
      },
      null,
      o.indent,
    ),
  )
  return {
    manifest: { bytes: manifest, sha256: digestOf(manifest) },
    config: { bytes: o.config, sha256: digestOf(o.config) },
    layer: o.layer,
  }
}
