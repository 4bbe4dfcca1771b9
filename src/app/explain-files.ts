import { createWriteStream } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type CanonicalTar, canonicaliseTar } from '../../verifier/compare/canonicalise.ts'
import { type Compression, openDecompressed } from '../../verifier/compare/decompress.ts'
import { explain, type Side } from '../../verifier/explain/explain.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Transformation } from '../../verifier/model/comparison.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import type { Explanation } from '../../verifier/model/explanation.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { shownName } from '../../verifier/model/shown-name.ts'

export type ExplainFiles = {
  readonly left: string
  readonly right: string
  readonly blobs: BlobStore
  /** A private folder with room for both files, uncompressed. */
  readonly scratch: string
  readonly signal: AbortSignal
}

/** Says why two artifact files differ: as trees where both are tars, compressed or not, and else byte by byte. */
export async function explainFiles(o: ExplainFiles): Promise<Explanation> {
  const left = await open(o, o.left, 'left')
  const right = await open(o, o.right, 'right')
  const archive = { transformations: transformations(left, right), ...compressions(left, right) }
  return await explain({ left: sideOf(o, left), right: sideOf(o, right), archive, signal: o.signal })
}

type Opened = {
  readonly label: string
  readonly compression: Compression
  /** The bytes, uncompressed. */
  readonly file: string
  /** Null where they are no tar with a canonical form. */
  readonly canonical: CanonicalTar | null
  /** Why not, where they are a tar. */
  readonly unread?: string
}

async function open(o: ExplainFiles, file: string, name: string): Promise<Opened> {
  const { compression, bytes } = await openOrFail(file)
  const plain = compression === 'none' ? path.resolve(file) : path.join(o.scratch, name)
  if (compression !== 'none')
    await pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(plain, { flags: 'wx' }), { signal: o.signal })
  try {
    const canonical = await canonicaliseTar({ input: plain, output: null, blobs: o.blobs, signal: o.signal })
    return { label: file, compression, file: plain, canonical }
  } catch (error) {
    if (!(error instanceof Failure && error.code.startsWith('tar-'))) throw error
    const unread = (await looksLikeTar(plain)) ? { unread: reasonOf(error) } : {}
    return { label: file, compression, file: plain, canonical: null, ...unread }
  }
}

/** The magic of POSIX and GNU tar, behind the name and the numbers of the first header. */
const MAGIC = { at: 257, bytes: Buffer.from('ustar') }

async function looksLikeTar(file: string): Promise<boolean> {
  await using handle = await openFile(file, 'r')
  const { buffer } = await handle.read(Buffer.alloc(MAGIC.bytes.length), 0, MAGIC.bytes.length, MAGIC.at)
  return buffer.equals(MAGIC.bytes)
}

function reasonOf({ code, message, data }: Failure): string {
  const path = typeof data['path'] === 'string' ? ` (${data['path']})` : ''
  return `${code}, ${message}${path}`
}

async function openOrFail(file: string): ReturnType<typeof openDecompressed> {
  try {
    return await openDecompressed(file)
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure({
      code: 'file-unreadable',
      message: `the file to compare ${shownName(file)} cannot be read`,
      hint: 'give two files that are there, such as two image.tar',
      cause,
    })
  }
}

function sideOf({ blobs }: ExplainFiles, { label, file, canonical, unread }: Opened): Side {
  return { label, file, unread, manifest: canonical === null ? null : manifestOf(blobs, canonical.treeManifest) }
}

async function* manifestOf(blobs: BlobStore, sha256: Sha256): AsyncGenerator<Uint8Array, void, void> {
  yield* await blobs.open(sha256)
}

/** What has to be undone on one side, and not on the other, before two archives of one tree are the same bytes. */
function transformations({ canonical: left }: Opened, { canonical: right }: Opened): Transformation[] {
  if (left === null || right === null || left.written.sha256 === right.written.sha256) return []
  const both = [...new Set([...left.transformations, ...right.transformations])]
  // Of one tree, two archives that are both out of order may each be so in its own way.
  if (left.canonical.sha256 === right.canonical.sha256) return both
  return both.filter((one) => left.transformations.includes(one) !== right.transformations.includes(one))
}

function compressions(left: Opened, right: Opened): { compression?: { left: string; right: string } } {
  return left.compression === right.compression ? {} : { compression: { left: left.compression, right: right.compression } }
}
