import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { build } from './build.ts'
import { fakePorts, fakeTree } from './testing/fake-ports.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-build-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('publishes every artifact under a name of its own, whatever mkosi calls them', async () => {
  const images = [
    { Output: 'a', Format: 'directory' },
    { Output: 'a', Format: 'tar' },
    { Output: 'inputs', Format: 'tar' },
  ]
  const ports = fakePorts(folder, images, [fakeTree('a', 'folder'), fakeTree('a.tar', 'tar'), fakeTree('inputs.tar', 'other')])
  const output = path.join(folder, 'out')
  const manifest = await build(ports, {
    source: './x',
    attempts: 2,
    lock: null,
    inputs: null,
    builder: null,
    snapshot: null,
    signal: new AbortController().signal,
    emit: () => {},
    output,
  })
  expect(manifest.artifacts.map(({ name, file, layout }) => ({ name, file, layout }))).toEqual([
    { name: 'a', file: 'image-a.tar', layout: 'a.oci' },
    { name: 'a.tar', file: 'a.tar', layout: 'a.tar.oci' },
    { name: 'inputs.tar', file: 'image-inputs.tar', layout: 'inputs.tar.oci' },
  ])
  for (const { file, layout, sha256 } of manifest.artifacts) {
    const bytes = await readFile(path.join(output, file ?? ''))
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
    expect(await readFile(path.join(output, layout ?? '', 'blobs', 'sha256', sha256))).toEqual(bytes)
  }
  expect(new Set(manifest.artifacts.map(({ sha256 }) => sha256)).size).toBe(3)
  expect(await readFile(path.join(output, 'inputs.tar'), 'utf8')).toBe('the inputs')
  const ours = ['build-manifest.json', 'inputs.lock.json', 'inputs.tar']
  const theirs = ['a.oci', 'a.tar', 'a.tar.oci', 'image-a.tar', 'image-inputs.tar', 'inputs.tar.oci']
  expect((await readdir(output)).toSorted()).toEqual([...ours, ...theirs].toSorted())
})
