import { mkdtemp, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { InputProxy } from '../../../verifier/builder/inputs/input-proxy.ts'
import { memoryBlobs } from '../../../verifier/builder/inputs/testing/memory-blobs.ts'
import type { OutputEntry, Sandbox } from '../../../verifier/builder/sandbox.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { INPUT_LOCK_SCHEMA, type InputLock } from '../../../verifier/model/lock.ts'
import { recipeWith } from '../../../verifier/recipe/testing/recipe-of.ts'
import { treeOf } from '../../../verifier/recipe/testing/tree-of.ts'
import { rawMember, rawTar } from '../../../verifier/tar/testing/raw-tar.ts'
import type { Ports } from '../ports.ts'

/** What every attempt locks. */
export const LOCKED: InputLock = { schema: INPUT_LOCK_SCHEMA, architecture: 'amd64', snapshot: null, inputs: [], absent: [] }
const digest = Sha256.parse('a'.repeat(64))

/** What a build leaves. */
export type FakeOutput = OutputEntry & { readonly content: Uint8Array }

/** Use cases' surroundings in which every build leaves the same. */
export function fakePorts(
  folder: string,
  images: readonly { readonly Output: string; readonly Format: string }[],
  outputs: readonly FakeOutput[],
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

/** A tree of one file. */
export const fakeTree = (name: string, content: string): FakeOutput => {
  const bytes = rawTar(rawMember({ name: './f' }, content))
  return { name, type: name.endsWith('.tar') ? 'file' : 'tree', size: bytes.length, content: bytes }
}
