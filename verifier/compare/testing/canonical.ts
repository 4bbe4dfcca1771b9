import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { digestOf } from '../../bytes/digest-of.ts'
import type { BlobStore } from '../../model/blob-store.ts'
import { Sha256 } from '../../model/digest.ts'
import { IMAGE_TAR_LIMITS } from '../../tar/limits.ts'
import type { CanonicalFacts } from '../canonical-tar.ts'
import { canonicalTar } from '../canonical-tar.ts'
import { type CanonicalTar, canonicaliseTar } from '../canonicalise.ts'

/** Blobs in memory. */
export class MemoryBlobs implements BlobStore {
  readonly held = new Map<string, Buffer>()

  async put(bytes: AsyncIterable<Uint8Array>): Promise<{ sha256: Sha256; size: number }> {
    const whole = Buffer.concat(await Array.fromAsync(bytes))
    const sha256 = digestOf(whole)
    this.held.set(sha256, whole)
    return { sha256, size: whole.length }
  }

  async open(sha256: Sha256): Promise<AsyncIterable<Uint8Array>> {
    const bytes = this.held.get(sha256)
    if (bytes === undefined) throw new Error('no such blob')
    return (async function* () {
      yield bytes
    })()
  }

  async size(sha256: Sha256): Promise<number | undefined> {
    return this.held.get(sha256)?.length
  }

  text(sha256: Sha256): string {
    return this.held.get(sha256)?.toString() ?? ''
  }
}

/** A folder of a test's own; removed at the end of its scope. */
export async function scratchFolder(): Promise<AsyncDisposable & { readonly dir: string; at(name: string): string }> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'bitwitness-test-'))
  return { dir, at: (name) => path.join(dir, name), [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

export type InMemory = CanonicalFacts & { readonly manifest: string; readonly bytes: Buffer }

/** Canonical form of an archive in memory, without a thread: for tests that need hundreds. */
export async function canonicalBytes(archive: Uint8Array): Promise<InMemory> {
  await using scratch = await scratchFolder()
  const [input, output] = [scratch.at('in.tar'), scratch.at('out.tar')]
  await writeFile(input, archive)
  const pieces = canonicalTar({ input, output, taken: false, limits: IMAGE_TAR_LIMITS })
  let manifest = ''
  for (;;) {
    const next = pieces.next()
    if (next.done === true) return { ...next.value, manifest, bytes: await readFile(output) }
    manifest += Buffer.from(next.value).toString()
  }
}

export async function canonicalFile(
  input: string,
  output: string | null,
  blobs = new MemoryBlobs(),
): Promise<CanonicalTar & { manifest: string }> {
  const facts = await canonicaliseTar({ input, output, blobs })
  return { ...facts, manifest: blobs.text(facts.treeManifest) }
}
