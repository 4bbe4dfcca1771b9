import { createHash } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { SOURCE_TAR_LIMITS } from '../tar/limits.ts'
import { collectTar } from '../tar/testing/collect.ts'
import { dockerArchive } from './docker-archive.ts'
import { packOci, stableJson } from './oci-image.ts'
import { writeOciLayout } from './oci-layout.ts'
import { readOciLayout } from './oci-read.ts'
import { scratchFolder } from './testing/canonical.ts'
import { digest, FULL_CONFIG, NO_CONFIG } from './testing/image.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const LAYER = Buffer.alloc(10240)
const layer = { sha256: digest('0'), size: LAYER.length }

describe('packing', () => {
  test('writes a config and a manifest that are fixed to the byte', () => {
    const image = packOci({ layer, created: 1700000000, architecture: 'amd64', config: FULL_CONFIG })
    expect(text(image.config.bytes)).toBe(
      `{"architecture":"amd64","config":{"Cmd":["/app/server.js"],"Entrypoint":["/usr/bin/node"],"Env":["NODE_ENV=production","PORT=3000"],"ExposedPorts":{"3000/tcp":{}},"Labels":{"org.example.a":"1","org.example.b":"2"},"User":"1000:1000","WorkingDir":"/app"},"created":"2023-11-14T22:13:20Z","history":[{"created":"2023-11-14T22:13:20Z","created_by":"bitwitness/oci/v1"}],"os":"linux","rootfs":{"diff_ids":["sha256:${layer.sha256}"],"type":"layers"}}`,
    )
    expect(text(image.manifest.bytes)).toBe(
      `{"config":{"digest":"sha256:${image.config.sha256}","mediaType":"application/vnd.oci.image.config.v1+json","size":${image.config.bytes.length}},"layers":[{"digest":"sha256:${layer.sha256}","mediaType":"application/vnd.oci.image.layer.v1.tar","size":10240}],"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}`,
    )
    expect([sha256(image.config.bytes), sha256(image.manifest.bytes)]).toEqual([image.config.sha256, image.manifest.sha256])
  })

  test('leaves out what a recipe does not state', () => {
    const image = packOci({ layer, created: 0, architecture: 'arm64', config: NO_CONFIG })
    expect(JSON.parse(text(image.config.bytes))).toMatchObject({
      architecture: 'arm64',
      variant: 'v8',
      config: {},
      created: '1970-01-01T00:00:00Z',
    })
  })

  test('gives another manifest for another of anything', () => {
    const base = { layer, created: 1, architecture: 'amd64', config: FULL_CONFIG }
    const others = [
      base,
      { ...base, layer: { ...layer, sha256: digest('1') } },
      { ...base, layer: { ...layer, size: 512 } },
      { ...base, created: 2 },
      { ...base, architecture: 'arm64' },
      { ...base, config: { ...FULL_CONFIG, cmd: [] } },
      { ...base, config: { ...FULL_CONFIG, env: FULL_CONFIG.env.toReversed() } },
      { ...base, config: { ...FULL_CONFIG, user: null } },
    ]
    expect(new Set(others.map((one) => packOci(one).manifest.sha256)).size).toBe(others.length)
  })

  test.each(['x86_64', 'toString', ''])('refuses the architecture %j', (architecture) => {
    expect(() => packOci({ layer, created: 0, architecture, config: NO_CONFIG })).toThrow(
      expect.objectContaining({ code: 'oci-architecture-unknown' }),
    )
  })

  test.each([-1, 0.5, Number.NaN, 1e15])('refuses the time %d', (created) => {
    expect(() => packOci({ layer, created, architecture: 'amd64', config: NO_CONFIG })).toThrow(
      expect.objectContaining({ code: 'oci-created-invalid' }),
    )
  })

  test('sorts keys at every depth and keeps lists', () => {
    expect(stableJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}')
  })
})

async function packed(dir: string) {
  const layerPath = `${dir}/layer.tar`
  await writeFile(layerPath, LAYER)
  const image = packOci({
    layer: { sha256: sha256(LAYER) as typeof layer.sha256, size: LAYER.length },
    created: 1,
    architecture: 'amd64',
    config: FULL_CONFIG,
  })
  return { image, layerPath }
}

describe('a layout', () => {
  test('is read back as it was written, its layer not copied', async () => {
    await using scratch = await scratchFolder()
    const { image, layerPath } = await packed(scratch.dir)
    await writeOciLayout(scratch.at('oci'), image, layerPath)
    const read = await readOciLayout(scratch.at('oci'))
    expect([read.manifest.sha256, read.config.sha256, read.layers[0]?.sha256]).toEqual([
      image.manifest.sha256,
      image.config.sha256,
      image.layer.sha256,
    ])
    expect((await stat(layerPath)).nlink).toBe(2)
  })

  const damages: readonly (readonly [
    what: string,
    code: string,
    damage: (dir: string, names: Record<string, string>) => Promise<unknown>,
  ])[] = [
    ['a layer of the same size', 'oci-blob-differs', (dir, { layer }) => writeFile(`${dir}/blobs/sha256/${layer}`, Buffer.alloc(10240, 1))],
    ['another config', 'oci-blob-differs', (dir, { config }) => writeFile(`${dir}/blobs/sha256/${config}`, '{}')],
    ['a manifest that is no JSON', 'oci-blob-differs', (dir, { manifest }) => writeFile(`${dir}/blobs/sha256/${manifest}`, 'x')],
    ['a blob that nothing names', 'oci-layout-unsupported', (dir) => writeFile(`${dir}/blobs/sha256/${'f'.repeat(64)}`, 'x')],
    ['another layout version', 'oci-layout-unsupported', (dir) => writeFile(`${dir}/oci-layout`, '{"imageLayoutVersion":"2.0.0"}')],
    ['an index of no image', 'oci-layout-unsupported', (dir) => writeFile(`${dir}/index.json`, '{"manifests":[]}')],
    [
      'an index with a path for a digest',
      'oci-layout-malformed',
      (dir) => writeFile(`${dir}/index.json`, indexNaming('sha256:../../etc/passwd')),
    ],
    ['an index that says a key twice', 'oci-layout-malformed', (dir) => writeFile(`${dir}/index.json`, '{"manifests":[], "manifests":[]}')],
    [
      'an index that says a key twice and makes up for its length',
      'oci-layout-malformed',
      (dir) => changed(`${dir}/index.json`, (text) => text.replace('{', '{"a":1,"a":2,"b":1e8,')),
    ],
    ['an index behind a byte order mark', 'oci-layout-malformed', (dir) => changed(`${dir}/index.json`, (text) => `\ufeff${text}`)],
    [
      'an index of lists within lists',
      'oci-layout-malformed',
      (dir) => changed(`${dir}/index.json`, (text) => text.replace('{', `{"a":${'['.repeat(64)}${']'.repeat(64)},`)),
    ],
    ['no index', 'oci-layout-malformed', (dir) => import('node:fs/promises').then(({ rm }) => rm(`${dir}/index.json`))],
  ]
  test.each(damages)('with %s is refused', async (_what, code, damage) => {
    await using scratch = await scratchFolder()
    const { image, layerPath } = await packed(scratch.dir)
    await writeOciLayout(scratch.at('oci'), image, layerPath)
    await damage(scratch.at('oci'), { layer: image.layer.sha256, config: image.config.sha256, manifest: image.manifest.sha256 })
    await expect(readOciLayout(scratch.at('oci'))).rejects.toMatchObject({ code })
  })

  test('is not written from a layer of another size', async () => {
    await using scratch = await scratchFolder()
    const { image, layerPath } = await packed(scratch.dir)
    await writeFile(layerPath, Buffer.alloc(512))
    await expect(writeOciLayout(scratch.at('oci'), image, layerPath)).rejects.toMatchObject({ code: 'oci-layer-size' })
  })
})

describe('an archive for docker load', () => {
  test('is one fixed tar with what old and new engines look for', async () => {
    await using scratch = await scratchFolder()
    const { image, layerPath } = await packed(scratch.dir)
    const bytes = async () => Buffer.concat(await Array.fromAsync(dockerArchive(image, layerPath, 'example.org:5000/team/app:v1')))
    const archive = await bytes()
    expect(archive.equals(await bytes())).toBe(true)
    expect(archive.length % 10240).toBe(0)
    const members = await collectTar(archive, SOURCE_TAR_LIMITS)
    const file = (name: string) => members.find(({ member }) => text(member.path) === name)?.content
    expect(JSON.parse(text(file('manifest.json') ?? Buffer.from('null')))).toEqual([
      {
        Config: `blobs/sha256/${image.config.sha256}`,
        RepoTags: ['example.org:5000/team/app:v1'],
        Layers: [`blobs/sha256/${image.layer.sha256}`],
      },
    ])
    for (const { content, member } of members.filter(({ member }) => /^blobs\/sha256\/.{64}$/.test(text(member.path))))
      expect(text(member.path)).toBe(`blobs/sha256/${sha256(content)}`)
    expect(file('oci-layout')).toBeDefined()
    expect(text(file('index.json') ?? Buffer.alloc(0))).toContain(`sha256:${image.manifest.sha256}`)
    expect((await readFile(layerPath)).equals(file(`blobs/sha256/${image.layer.sha256}`) ?? Buffer.alloc(0))).toBe(true)
  })

  test.each(['name', 'name:', 'Name:v1', '../x:v1', 'name:v1\n', '-x:v1', `${'a'.repeat(300)}:v1`])('refuses the tag %j', async (tag) => {
    await using scratch = await scratchFolder()
    const { image, layerPath } = await packed(scratch.dir)
    await expect(Array.fromAsync(dockerArchive(image, layerPath, tag))).rejects.toMatchObject({ code: 'repo-tag-malformed' })
  })
})

async function changed(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')))
}

function indexNaming(digest: string): string {
  return JSON.stringify({ manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 }] })
}
