import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { InputProxy } from '../../verifier/builder/inputs/input-proxy.ts'
import { memoryBlobs } from '../../verifier/builder/inputs/testing/memory-blobs.ts'
import type { OutputEntry, Sandbox } from '../../verifier/builder/sandbox.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { INPUT_LOCK_SCHEMA, type InputLock } from '../../verifier/model/lock.ts'
import { recipeWith } from '../../verifier/recipe/testing/recipe-of.ts'
import { treeOf } from '../../verifier/recipe/testing/tree-of.ts'
import { rawMember, rawTar } from '../../verifier/tar/testing/raw-tar.ts'
import { build } from './build.ts'
import type { Ports } from './ports.ts'

const LOCKED: InputLock = { schema: INPUT_LOCK_SCHEMA, architecture: 'amd64', snapshot: null, inputs: [], absent: [] }
const digest = Sha256.parse('a'.repeat(64))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-build-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Use cases' surroundings in which every build leaves the same. */
function portsOf(
  images: readonly { Output: string; Format: string }[],
  outputs: readonly (OutputEntry & { readonly content: Uint8Array })[],
): Ports {
  const proxy: InputProxy = {
    accept: () => {},
    listen: () => Promise.reject(new Error('unused')),
    finish: async () => LOCKED,
    served: () => false,
    failures: () => [],
    stats: () => ({ requests: 0, bytes: 0 }),
    [Symbol.asyncDispose]: async () => {},
  }
  const sandbox: Sandbox = {
    facts: { profile: 'test/v1', digest, isolation: 'shared-kernel', apparmor: 'absent', workspace: 'tmpfs' },
    outputBytes: 1 << 20,
    async run(_, io) {
      io.summary({ Images: images.map((image, index) => ({ Image: index === 0 ? null : `sub${index}`, ...image })) })
      for (const { content, ...entry } of outputs)
        await io.output(
          entry,
          (async function* () {
            yield content
          })(),
        )
      return { kind: 'finished', exit: 0, usage: { cpuMs: 1, peakMemoryBytes: 1 } }
    },
  }
  return {
    version: '1.2.3',
    blobs: memoryBlobs(),
    reader: async () => ({ architecture: 'x86-64', mkosi: '25.3' }),
    slots: 1,
    outputBytes: 1 << 20,
    now: () => '2026-01-01T00:00:00.000Z',
    scratch: async () => ({ path: await mkdtemp(path.join(folder, 'scratch-')), [Symbol.asyncDispose]: async () => {} }),
    pin: async () => ({
      pinned: { kind: 'archive', name: 'a.tar', sha256: digest, path: '.', treeDigest: digest },
      tree: treeOf(recipeWith('')),
      async *tar() {
        yield new Uint8Array(1024)
      },
      [Symbol.asyncDispose]: async () => {},
    }),
    builder: async () => ({ digest, mkosi: '25.3', architecture: 'amd64', image: 'image' }),
    sandbox: () => sandbox,
    record: async () => proxy,
    replay: () => proxy,
    gather: async () => [],
    misdescribed: async () => [],
    readLock: () => Promise.reject(new Error('unused')),
    readInputs: () => Promise.reject(new Error('unused')),
    writeInputs: async ({ path: file }) => await writeFile(file, 'the inputs'),
    fetchClaimed: () => Promise.reject(new Error('unused')),
  }
}

const tree = (name: string, content: string): OutputEntry & { readonly content: Uint8Array } => {
  const bytes = rawTar(rawMember({ name: './f' }, content))
  return { name, type: name.endsWith('.tar') ? 'file' : 'tree', size: bytes.length, content: bytes }
}

it('publishes every artifact under a name of its own, whatever mkosi calls them', async () => {
  const images = [
    { Output: 'a', Format: 'directory' },
    { Output: 'a', Format: 'tar' },
    { Output: 'inputs', Format: 'tar' },
  ]
  const ports = portsOf(images, [tree('a', 'folder'), tree('a.tar', 'tar'), tree('inputs.tar', 'other')])
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
