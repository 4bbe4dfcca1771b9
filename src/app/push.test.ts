import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { BuildManifest } from '../../verifier/model/build-manifest.ts'
import { parseImageReference } from '../../verifier/model/image-reference.ts'
import { FakeRegistry } from '../registry/testing/fake-registry.ts'
import { openTestRegistry } from '../registry/testing/open.ts'
import { type PushCommand, push } from './push.ts'
import { RegistryInfo } from './push-documents.ts'
import { IMAGE_CONFIG, writeBuiltImage } from './testing/built-image.ts'

let folder: string
let fake: FakeRegistry
let built: BuildManifest
const layer = randomBytes(300_000)
const tar = digestOf(layer)

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-push-'))
  fake = await FakeRegistry.start()
  built = await writeBuiltImage(folder, layer)
})
afterEach(async () => {
  await fake[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const deployed: unknown[] = []
let clock = 0

async function run(name: string, change: Partial<PushCommand> = {}) {
  await using registry = openTestRegistry()
  const ports = {
    registry,
    deployment: (o: unknown) => {
      deployed.push(o)
      return { compose: 'compose\n', appCompose: '{}', composeHash: digestOf('{}') }
    },
    now: () => new Date((clock += 1000)).toISOString(),
  }
  return await push(ports, {
    folder,
    image: parseImageReference(name),
    artifact: null,
    tags: [],
    dryRun: false,
    onProgress: () => {},
    signal: new AbortController().signal,
    ...change,
  })
}

const read = (name: string): Promise<string> => readFile(path.join(folder, name), 'utf8')
const oci = () => built.artifacts[0]?.oci ?? { manifest: '', config: '', layer: '' }

describe('a push', () => {
  it('brings the image by its digest, lets tags mean it, and writes down where it is', async () => {
    const name = `${fake.host}/owner/app`
    const seen: [string, number][] = []
    const report = await run(name, { tags: ['latest'], onProgress: ({ kind, done }) => seen.push([kind, done]) })
    const pinned = `${name}@sha256:${oci().manifest}`
    expect(report).toEqual({
      schema: 'bitwitness/push-report/v1',
      verdict: 'pushed',
      image: { name, manifest: oci().manifest, pinned },
      blobs: [
        { kind: 'config', sha256: oci().config, size: fake.blobs.get(`sha256:${oci().config}`)?.length, state: 'uploaded' },
        { kind: 'layer', sha256: tar, size: layer.length, state: 'uploaded' },
      ],
      manifest: 'pushed',
      tags: [
        { tag: tar, state: 'pushed', from: null },
        { tag: 'latest', state: 'pushed', from: null },
      ],
      files: { registryInfo: 'registry-info.json', compose: 'docker-compose-deploy.yml', appCompose: 'app-compose.json' },
      composeHash: digestOf('{}'),
    })
    expect(fake.tags).toEqual(
      new Map([
        [tar, `sha256:${oci().manifest}`],
        ['latest', `sha256:${oci().manifest}`],
      ]),
    )
    expect(fake.blobs.get(`sha256:${tar}`)?.equals(layer)).toBe(true)
    expect(seen.at(-1)).toEqual(['layer', layer.length])
    expect(deployed.at(-1)).toEqual({ service: 'app', image: pinned, config: IMAGE_CONFIG })
    expect(RegistryInfo.parse(JSON.parse(await read('registry-info.json')))).toEqual({
      schema: 'bitwitness/registry-info/v1',
      registry: fake.host,
      imageName: 'owner/app',
      fullImage: `${name}:${tar}`,
      pinnedImage: pinned,
      hash: tar,
      type: 'oci-image',
      sourceTar: 'image.tar',
      pushedAt: expect.any(String),
    })
    expect([await read('docker-compose-deploy.yml'), await read('app-compose.json')]).toEqual(['compose\n', '{}'])
  })

  it('made again sends nothing, and keeps the time of the first', async () => {
    await run(`${fake.host}/owner/app:v1`)
    const info = await read('registry-info.json')
    fake.seen.length = 0
    const report = await run(`${fake.host}/owner/app:v1`)
    expect(report.verdict).toBe('present')
    expect(report.tags.map(({ tag, state }) => [tag, state])).toEqual([
      [tar, 'present'],
      ['v1', 'present'],
    ])
    expect([fake.requests('PUT'), fake.requests('PATCH'), fake.requests('POST')]).toEqual([[], [], []])
    expect(await read('registry-info.json')).toBe(info)
  })

  it('to another repository of the registry asks to take the blobs over', async () => {
    await run(`${fake.host}/owner/app`)
    for (const [digest, bytes] of Array.from(fake.blobs)) fake.blobs.set(`elsewhere ${digest}`, bytes)
    for (const digest of [oci().config, oci().layer]) fake.blobs.delete(`sha256:${digest}`)
    expect((await run(`${fake.host}/owner/other`)).blobs.map(({ state }) => state)).toEqual(['mounted', 'mounted'])
  })

  it('says what a tag meant that it moved', async () => {
    await run(`${fake.host}/owner/app`, { tags: ['latest'] })
    const first = oci().manifest
    await rm(folder, { recursive: true })
    built = await writeBuiltImage(folder, randomBytes(1000))
    const report = await run(`${fake.host}/owner/app`, { tags: ['latest'] })
    expect(report.tags.at(-1)).toEqual({ tag: 'latest', state: 'moved', from: first })
  })

  it('that is only tried asks nobody and writes nothing', async () => {
    const before = await readdir(folder)
    const report = await run(`${fake.host}/owner/app`, { dryRun: true, tags: ['latest'] })
    expect(report).toMatchObject({ verdict: 'planned', manifest: 'planned', composeHash: digestOf('{}') })
    expect([...report.blobs, ...report.tags].map(({ state }) => state)).toEqual(['planned', 'planned', 'planned', 'planned'])
    expect([fake.seen, await readdir(folder)]).toEqual([[], before])
  })
})

describe('a push is refused', () => {
  it.each([
    ['to a digest', `host/app@sha256:${tar}`, {}, 'image-digest-unexpected'],
    ["to Docker Hub without a user's name", 'app', {}, 'image-user-missing'],
    ['with a tag that is none', 'host/app', { tags: ['a b'] }, 'image-tag-malformed'],
    ['of an artifact that the build has not', 'host/app', { artifact: 'other.tar' }, 'artifact-unknown'],
  ])('%s', async (_, name, change, code) => {
    await expect(run(name, change)).rejects.toMatchObject({ code })
  })

  it.each<[string, string, () => Promise<unknown>]>([
    ['a layer that was changed', 'oci-blob-differs', () => writeFile(path.join(folder, 'image.tar.oci/blobs/sha256', tar), randomBytes(300_000))],
    ['a layout of another build', 'layout-differs', () => writeBuiltImage(path.join(folder, 'x'), randomBytes(9)).then(() => replaceLayout('x/image.tar.oci'))],
    ['a config that the parameters do not give', 'layout-differs', () => rewrite((one) => ({ ...one, parameters: { ...one.parameters, image: { ...IMAGE_CONFIG, cmd: ['/bin/sh'] } } }))],
    ['a layout outside of it', 'build-manifest-malformed', () => rewrite((one) => ({ ...one, artifacts: one.artifacts.map((each) => ({ ...each, layout: '../x' })) }))],
    ['a file called as one that a push writes', 'push-name-taken', () => rewrite((one) => ({ ...one, artifacts: one.artifacts.map((each) => ({ ...each, file: 'app-compose.json' })) }))],
    ['no image', 'artifact-unknown', () => rewrite((one) => ({ ...one, artifacts: one.artifacts.map((each) => ({ ...each, oci: null, layout: null })) }))],
    ['nothing built', 'artifact-unknown', () => rewrite((one) => ({ ...one, verdict: 'build-failed', artifacts: [] }))],
    ['no manifest', 'build-folder-unreadable', () => unlink(path.join(folder, 'build-manifest.json'))],
  ])('from a folder with %s, before the registry is asked', async (_, code, damage) => {
    await damage()
    await expect(run(`${fake.host}/owner/app`)).rejects.toMatchObject({ code })
    expect(fake.seen).toEqual([])
  }) // biome-ignore format: one a line

  it('where the layer changes while it is sent', async () => {
    const file = path.join(folder, 'image.tar.oci/blobs/sha256', tar)
    fake.seen.length = 0
    await expect(run(`${fake.host}/owner/app`, { onProgress: ({ kind }) => kind === 'config' && truncate(file) })).rejects.toMatchObject({
      code: 'layout-changed',
    })
  })
})

function truncate(file: string): void {
  writeFileSync(file, layer.subarray(0, 1000))
}

async function rewrite(change: (manifest: BuildManifest) => unknown): Promise<void> {
  await writeFile(path.join(folder, 'build-manifest.json'), JSON.stringify(change(built)))
}

async function replaceLayout(from: string): Promise<void> {
  await rm(path.join(folder, 'image.tar.oci'), { recursive: true })
  await rename(path.join(folder, from), path.join(folder, 'image.tar.oci'))
}
