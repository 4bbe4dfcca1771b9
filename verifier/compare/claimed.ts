import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BlobStore } from '../model/blob-store.ts'
import type { Claim } from '../model/claim.ts'
import type { Sha256 } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { IMAGE_TAR_LIMITS } from '../tar/limits.ts'
import { type CanonicalTar, canonicaliseTar } from './canonicalise.ts'
import { type Compression, DECOMPRESS_LIMITS, openDecompressed } from './decompress.ts'
import { digestFile } from './digest-file.ts'
import { type OciContents, readOciLayout } from './oci-read.ts'
import { unpackOciTar } from './oci-unpack.ts'

/** One tar of the claimed bytes: the file itself, or an image's layer. */
export type ClaimedTar = {
  readonly compression: Compression
  /** Of the uncompressed bytes. */
  readonly sha256: Sha256
  readonly size: number
  /** Null where canonical form was refused, or where the bytes are no tar; `refusal` is then the reason. */
  readonly canonical: CanonicalTar | null
  readonly refusal: string | null
}

/** Bytes that were proven to be the claimed ones. */
export type Claimed =
  | { readonly kind: 'file'; readonly file: ClaimedTar /** Whether the claim is on the compressed file. */; readonly ofCompressed: boolean }
  | { readonly kind: 'oci'; readonly image: OciContents; readonly layers: readonly ClaimedTar[] }

type Where = {
  readonly claim: Claim
  /** A file; for `oci-manifest` an OCI layout as a folder or as a tar. Somebody else's bytes. */
  readonly path: string
  /** Folder of the caller's, which removes it. Needs room for `maxBytes`, and as much again for an image in a tar. */
  readonly scratch: string
  /** Of all that is read, uncompressed and with the holes of sparse files filled: what is more than a build may leave is none of it. */
  readonly maxBytes: number
  readonly blobs: BlobStore
  readonly signal?: AbortSignal
}

/**
 * Proves by digest that a local file is what a claim names, and brings it to canonical form. Never executes or mounts anything. Rejects
 * with `claimed-unreadable`, with `claimed-file-differs` if it is something else, with `decompressed-size` or a `tar-…-limit` if it is too much, and as decompressing
 * and reading OCI layouts do.
 */
export async function readClaimed(where: Where): Promise<Claimed> {
  if (where.claim.kind === 'oci-manifest') return readClaimedImage(where)
  if ((await kindOf(where.path)) !== 'file') throw unreadable()
  const file = await readClaimedTar(where, { file: where.path, name: 'claimed', maxBytes: where.maxBytes })
  if (file.sha256 === where.claim.sha256) return { kind: 'file', file, ofCompressed: false }
  const whole = file.compression === 'none' ? file : await digestFile(where.path, where.signal)
  if (whole.sha256 !== where.claim.sha256) throw notClaimed(where.claim, whole.sha256)
  return { kind: 'file', file, ofCompressed: true }
}

async function readClaimedImage(where: Where): Promise<Claimed> {
  const kind = await kindOf(where.path)
  if (kind === null) throw unreadable()
  const image = kind === 'folder' ? await readOciLayout(where.path) : await unpacked(where)
  if (image.manifest.sha256 !== where.claim.sha256) throw notClaimed(where.claim, image.manifest.sha256)
  const layers: ClaimedTar[] = []
  let maxBytes = where.maxBytes
  for (const [index, layer] of image.layers.entries()) {
    const read = await readClaimedTar(where, { file: layer.path, name: `claimed-layer-${index}`, maxBytes })
    layers.push(read)
    maxBytes -= read.size
  }
  return { kind: 'oci', image, layers }
}

async function unpacked({ path: file, scratch, maxBytes }: Where): Promise<OciContents> {
  const { bytes } = await openDecompressed(file, { ...DECOMPRESS_LIMITS, maxSize: maxBytes })
  return await unpackOciTar(bytes, path.join(scratch, 'claimed-image'), maxBytes)
}

type Source = { readonly file: string; readonly name: string; readonly maxBytes: number }

async function readClaimedTar(where: Where, { file, name, maxBytes }: Source): Promise<ClaimedTar> {
  const { compression, bytes } = await openDecompressed(file, { ...DECOMPRESS_LIMITS, maxSize: maxBytes })
  const plain = compression === 'none' ? file : path.join(where.scratch, name)
  try {
    if (compression !== 'none')
      await pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(plain, { flags: 'wx' }), { signal: where.signal })
    return { compression, ...(await canonicalOrRefusal(where, plain, maxBytes)) }
  } finally {
    if (compression !== 'none') await rm(plain, { force: true })
  }
}

async function canonicalOrRefusal(where: Where, plain: string, maxBytes: number): Promise<Omit<ClaimedTar, 'compression'>> {
  const signal = where.signal === undefined ? {} : { signal: where.signal }
  const limits = { ...IMAGE_TAR_LIMITS, maxFileSize: maxBytes, maxTotalSize: maxBytes }
  try {
    const canonical = await canonicaliseTar({ input: plain, output: null, blobs: where.blobs, limits, ...signal })
    return { ...canonical.written, canonical, refusal: null }
  } catch (error) {
    // A limit says that nobody looked further, not that the bytes have no canonical form.
    if (!(error instanceof Failure) || !error.code.startsWith('tar-') || error.code.endsWith('-limit')) throw error
    return { ...(await digestFile(plain, where.signal)), canonical: null, refusal: refusalOf(error) }
  }
}

/** Null for what is gone, and for pipes and devices, which could be read for ever. */
async function kindOf(path: string): Promise<'file' | 'folder' | null> {
  const status = await stat(path).catch((cause: unknown) => Promise.reject(unreadable(cause)))
  return status.isFile() ? 'file' : status.isDirectory() ? 'folder' : null
}

function unreadable(cause?: unknown): Failure {
  return new Failure({
    code: 'claimed-unreadable',
    message: 'the claimed bytes cannot be read',
    hint: 'give the path of the claimed file, or its URL',
    cause,
  })
}

const MAX_PATH = 300

/** Says what was refused, and where: the member's path as far as it was read, and the byte where its headers begin. */
function refusalOf({ code, message, data }: Failure): string {
  const { offset, path: member } = data
  const name = typeof member === 'string' ? `${member.length > MAX_PATH ? `${member.slice(0, MAX_PATH)}…` : member}, ` : ''
  return `${code}: ${message}${typeof offset === 'number' ? ` (${name}at byte ${offset})` : ''}`
}

function notClaimed(claim: Claim, actual: Sha256): Failure {
  return new Failure({
    code: 'claimed-file-differs',
    message: 'the file that was given as the claimed bytes is something else',
    hint: 'give the very file, or the image layout, whose digest was claimed',
    data: { expected: claim.sha256, actual },
  })
}
