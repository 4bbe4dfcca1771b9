import { createWriteStream } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type CanonicalTar, canonicaliseTar } from '../../verifier/compare/canonicalise.ts'
import { type Compression, openDecompressed } from '../../verifier/compare/decompress.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { shownName } from '../../verifier/model/shown-name.ts'

export type ArtifactRoom = {
  readonly blobs: BlobStore
  /** A private folder with room for the files, uncompressed. */
  readonly scratch: string
  readonly signal: AbortSignal
}

export type OpenedArtifact = {
  readonly label: string
  readonly compression: Compression
  /** The bytes, uncompressed. */
  readonly file: string
  /** Null where they are no tar with a canonical form. */
  readonly canonical: CanonicalTar | null
  /** Why not, where they are a tar. */
  readonly unread?: string
}

/** Opens an artifact, compressed or not; `name` is what it is called in the scratch folder. Failures: `file-unreadable`, those of unpacking. */
export async function openArtifact(o: ArtifactRoom, file: string, name: string): Promise<OpenedArtifact> {
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
