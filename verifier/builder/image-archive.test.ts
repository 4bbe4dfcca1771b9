import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { digestOf } from '../bytes/digest-of.ts'
import { collectTar } from '../tar/testing/collect.ts'
import { rawMember, rawPax, rawTar } from '../tar/testing/raw-tar.ts'
import { builderArchive, exportBuilder } from './image-archive.ts'
import { type BuilderImage, encodeBuilder } from './image-description.ts'
import { importBuilder } from './image-import.ts'
import { openBuilderStore } from './image-store.ts'
import { type MemoryBlobs, memoryBlobs } from './inputs/testing/memory-blobs.ts'
import { smallBuilder } from './testing/small-builder.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'builder-archive-'))
})
afterEach(() => rm(dir, { recursive: true }))

test('an engine finds both a Docker archive and an OCI layout', async () => {
  const { builder, blobs } = await smallBuilder()
  const parts: Uint8Array[] = []
  for await (const part of builderArchive(builder, blobs)) parts.push(part)
  const files = new Map(
    (await collectTar(Buffer.concat(parts))).map(({ member, content }) => [Buffer.from(member.path).toString(), content]),
  )
  const docker = JSON.parse(files.get('manifest.json')?.toString() ?? '')
  expect(docker).toEqual([
    {
      Config: `blobs/sha256/${builder.digest}`,
      Layers: [`blobs/sha256/${builder.layer.sha256}`],
      RepoTags: [`bitwitness/builder:25.3-${builder.digest.slice(0, 12)}`],
    },
  ])
  expect(JSON.parse(files.get('index.json')?.toString() ?? '').manifests[0].digest).toBe(`sha256:${builder.manifest}`)
  for (const sha256 of [builder.digest, builder.manifest, builder.layer.sha256])
    expect(digestOf(files.get(`blobs/sha256/${sha256}`) ?? '')).toBe(sha256)
})

test.each([true, false])('what was exported is imported elsewhere, inputs: %s', async (inputs) => {
  const { builder, blobs, lock } = await smallBuilder()
  const file = path.join(dir, 'builder.tar')
  await exportBuilder({ builder, blobs, path: file, inputs })
  const there = memoryBlobs()
  const store = await openBuilderStore(path.join(dir, 'builders'), there)
  expect(await importBuilder({ path: file, blobs: there, store })).toEqual({ builder, inputs })
  expect(await store.list()).toEqual([builder])
  const wanted = [
    builder.digest,
    builder.manifest,
    builder.layer.sha256,
    builder.lock,
    ...(inputs ? lock.inputs.map((one) => one.sha256) : []),
  ]
  expect([...there.bytes.keys()].toSorted()).toEqual(wanted.toSorted())
})

test('an import that is interrupted ends and takes nothing', async () => {
  const { builder, blobs } = await smallBuilder()
  const file = path.join(dir, 'builder.tar')
  await exportBuilder({ builder, blobs, path: file, inputs: true })
  const store = await openBuilderStore(path.join(dir, 'builders'), memoryBlobs())
  const signal = AbortSignal.abort()
  await expect(importBuilder({ path: file, blobs: memoryBlobs(), store, signal })).rejects.toMatchObject({ name: 'AbortError' })
  expect(await store.list()).toEqual([])
})

test('equal builders give equal files', async () => {
  const { builder, blobs } = await smallBuilder()
  await exportBuilder({ builder, blobs, path: path.join(dir, 'a'), inputs: true })
  await exportBuilder({ builder, blobs, path: path.join(dir, 'b'), inputs: true })
  expect(await readFile(path.join(dir, 'a'))).toEqual(await readFile(path.join(dir, 'b')))
})

test('an export that fails leaves nothing behind', async () => {
  const { builder, blobs } = await smallBuilder()
  blobs.bytes.set(builder.layer.sha256, Buffer.from('damaged'))
  await expect(exportBuilder({ builder, blobs, path: path.join(dir, 'a'), inputs: false })).rejects.toMatchObject({ code: 'blob-damaged' })
  expect(await readdir(dir)).toEqual([])
})

type Members = [name: string, content: Buffer][]

async function refusal(members: Members): Promise<string> {
  const file = path.join(dir, 'hostile.tar')
  await writeFile(file, rawTar(...members.map(([name, content]) => rawMember({ name: `./${name}` }, content.toString('latin1')))))
  const there = memoryBlobs()
  const store = await openBuilderStore(path.join(dir, 'builders'), there)
  const code = await importBuilder({ path: file, blobs: there, store }).then(
    () => 'imported',
    (error: { code?: string }) => error.code ?? 'uncoded',
  )
  expect(await store.list()).toHaveLength(code === 'imported' ? 1 : 0)
  return code
}

async function exported(): Promise<{ members: Members; builder: BuilderImage; blobs: MemoryBlobs }> {
  const { builder, blobs } = await smallBuilder()
  const file = path.join(dir, 'good.tar')
  await exportBuilder({ builder, blobs, path: file, inputs: true })
  const members: Members = (await collectTar(await readFile(file))).map(({ member, content }) => [
    Buffer.from(member.path).toString(),
    content,
  ])
  return { members, builder, blobs }
}

const without = (members: Members, name: string): Members => members.filter(([one]) => one !== name)
const replaced = (members: Members, name: string, content: Buffer): Members =>
  members.map(([one, old]) => [one, one === name ? content : old])

test('the hostile cases start from a file that is taken', async () => {
  expect(await refusal((await exported()).members)).toBe('imported')
})

test('a blob with other bytes than its name says is refused', async () => {
  const { members, builder } = await exported()
  for (const sha256 of [builder.digest, builder.manifest])
    expect(await refusal(replaced(members, `blobs/sha256/${sha256}`, Buffer.from('{}')))).toBe('blob-differs')
  const layer = Buffer.alloc(builder.layer.size)
  expect(await refusal(replaced(members, `blobs/sha256/${builder.layer.sha256}`, layer))).toBe('blob-differs')
})

test('a part that is missing, and half of the inputs, are refused', async () => {
  const { members, builder } = await exported()
  for (const sha256 of [builder.digest, builder.manifest, builder.layer.sha256])
    expect(await refusal(without(members, `blobs/sha256/${sha256}`))).toBe('builder-archive-incomplete')
  expect(await refusal(without(members, 'builder.json'))).toBe('builder-archive-malformed')
  expect(await refusal(without(members, 'lock.json'))).toBe('builder-archive-malformed')
  expect(await refusal([])).toBe('builder-archive-malformed')
})

test('a file that nothing names is not kept', async () => {
  const { members } = await exported()
  for (const name of [`blobs/sha256/${'0'.repeat(64)}`, 'blobs/sha256/x', 'keys/policy.yaml', `inputs/${'0'.repeat(64)}`])
    expect(await refusal([...members, [name, Buffer.from('x')]])).toBe('builder-archive-malformed')
})

test('a description of another layer, lock, mkosi or set of packages is refused', async () => {
  const { members, builder, blobs } = await exported()
  const described = (changes: Partial<BuilderImage>): Members =>
    replaced(members, 'builder.json', Buffer.from(encodeBuilder({ ...builder, ...changes })))
  expect(await refusal(described({ lock: digestOf('other') }))).toBe('builder-archive-malformed')
  expect(await refusal(described({ mkosi: '27.1' }))).toBe('builder-mkosi-version')
  expect(await refusal(described({ architecture: 'arm64' }))).toBe('builder-archive-malformed')
  expect(await refusal(described({ packages: [...builder.packages, { name: 'zstd', version: '1', architecture: 'amd64' }] }))).toBe(
    'builder-packages-differ',
  )
  // A whole layer of somebody else's under a config that does not name it.
  const other = await smallBuilder('b')
  const layer = other.blobs.bytes.get(other.builder.layer.sha256) ?? Buffer.alloc(0)
  const swapped = described({ layer: other.builder.layer }).map(([name, content]): [string, Buffer] =>
    name === `blobs/sha256/${builder.layer.sha256}` ? [`blobs/sha256/${other.builder.layer.sha256}`, layer] : [name, content],
  )
  expect(await refusal(swapped)).toBe('builder-archive-malformed')
  // And a manifest of somebody else's that names their config.
  const manifest = other.blobs.bytes.get(other.builder.manifest) ?? Buffer.alloc(0)
  const remade = described({ manifest: other.builder.manifest }).map(([name, content]): [string, Buffer] =>
    name === `blobs/sha256/${builder.manifest}` ? [`blobs/sha256/${other.builder.manifest}`, manifest] : [name, content],
  )
  expect(await refusal(remade)).toBe('builder-archive-malformed')
  expect(blobs.bytes.size).toBe(5)
})

test('a description with a key too many, twice or in another order is refused', async () => {
  const { members, builder } = await exported()
  const text = encodeBuilder(builder)
  for (const changed of [
    text.replace('{', '{ "trusted": true,'),
    text.replace('{', `{ "mkosi": "25.3",`),
    JSON.stringify(builder),
    '[]',
    'null',
  ])
    expect(await refusal(replaced(members, 'builder.json', Buffer.from(changed)))).toBe('builder-archive-malformed')
})

test('a builder whose files have holes is refused', async () => {
  const { members, builder } = await exported()
  const layer = `blobs/sha256/${builder.layer.sha256}`
  const size = builder.layer.size
  const keys = [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', layer],
    ['GNU.sparse.realsize', String(size)],
  ] as const
  const map = `1\n0\n${size}\n`.padEnd(512, '\0')
  const parts = members.map(([name, content]) => {
    const text = content.toString('latin1')
    if (name !== layer) return rawMember({ name: `./${name}` }, text)
    return Buffer.concat([rawPax(keys), rawMember({ name: `blobs/sha256/GNUSparseFile.1/${builder.layer.sha256}` }, map + text)])
  })
  const file = path.join(dir, 'holes.tar')
  await writeFile(file, rawTar(...parts))
  const there = memoryBlobs()
  const store = await openBuilderStore(path.join(dir, 'builders'), there)
  await expect(importBuilder({ path: file, blobs: there, store })).rejects.toMatchObject({ code: 'tar-sparse-unsupported' })
  expect(there.bytes.has(builder.layer.sha256)).toBe(false)
})

test('links and folders are no part of an exported builder', async () => {
  const { members } = await exported()
  const file = path.join(dir, 'links.tar')
  const store = await openBuilderStore(path.join(dir, 'builders'), memoryBlobs())
  for (const type of ['1', '2', '5']) {
    const good = members.map(([name, content]) => rawMember({ name: `./${name}` }, content.toString('latin1')))
    await writeFile(
      file,
      rawTar(...good, type === '5' ? rawMember({ name: './x/', type }) : rawMember({ name: './x', type, link: './builder.json' })),
    )
    await expect(importBuilder({ path: file, blobs: memoryBlobs(), store })).rejects.toMatchObject({ code: 'builder-archive-malformed' })
  }
})

test('says of a file that is not there that it cannot be read', async () => {
  const blobs = memoryBlobs()
  const store = await openBuilderStore(path.join(dir, 'builders'), blobs)
  await expect(importBuilder({ path: path.join(dir, 'absent.tar'), blobs, store })).rejects.toMatchObject({
    code: 'file-unreadable',
    message: expect.stringContaining('absent.tar'),
  })
})
