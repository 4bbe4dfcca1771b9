import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BlobStore } from '../model/blob-store.ts'
import type { Claim } from '../model/claim.ts'
import type { Sha256 } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { type CanonicalTar, canonicaliseTar } from './canonicalise.ts'
import { type Compression, openDecompressed } from './decompress.ts'
import { digestFile } from './digest-file.ts'
import { type OciContents, readOciLayout } from './oci-read.ts'
import { unpackOciTar } from './oci-unpack.ts'

/** One tar of the claimed bytes: the file itself, or an image's layer. */
export type ClaimedTar = {
  readonly compression: Compression
  /** Of the uncompressed bytes. */
  readonly sha256: Sha256
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
  /** Folder of the caller's, which removes it. Needs room for the uncompressed bytes. */
  readonly scratch: string
  readonly blobs: BlobStore
  readonly signal?: AbortSignal
}

/**
 * Proves by digest that a local file is what a claim names, and brings it to canonical form. Never executes or mounts anything. Rejects
 * with `claimed-file-differs` if it is something else, and as decompressing and reading OCI layouts do.
 */
export async function readClaimed(where: Where): Promise<Claimed> {
  if (where.claim.kind === 'oci-manifest') return readClaimedImage(where)
  const file = await readClaimedTar(where, where.path, 'claimed')
  if (file.sha256 === where.claim.sha256) return { kind: 'file', file, ofCompressed: false }
  const whole = file.compression === 'none' ? file : await digestFile(where.path, where.signal)
  if (whole.sha256 !== where.claim.sha256) throw notClaimed(where.claim, whole.sha256)
  return { kind: 'file', file, ofCompressed: true }
}

async function readClaimedImage(where: Where): Promise<Claimed> {
  const folder = (await stat(where.path)).isDirectory()
  const image = folder
    ? await readOciLayout(where.path)
    : await unpackOciTar((await openDecompressed(where.path)).bytes, path.join(where.scratch, 'claimed-image'))
  if (image.manifest.sha256 !== where.claim.sha256) throw notClaimed(where.claim, image.manifest.sha256)
  const layers: ClaimedTar[] = []
  for (const [index, layer] of image.layers.entries()) layers.push(await readClaimedTar(where, layer.path, `claimed-layer-${index}`))
  return { kind: 'oci', image, layers }
}

async function readClaimedTar(where: Where, source: string, name: string): Promise<ClaimedTar> {
  const { compression, bytes } = await openDecompressed(source)
  const plain = compression === 'none' ? source : path.join(where.scratch, name)
  try {
    if (compression !== 'none')
      await pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(plain, { flags: 'wx' }), { signal: where.signal })
    return { compression, ...(await canonicalOrRefusal(where, plain)) }
  } finally {
    if (compression !== 'none') await rm(plain, { force: true })
  }
}

async function canonicalOrRefusal(where: Where, plain: string): Promise<Pick<ClaimedTar, 'sha256' | 'canonical' | 'refusal'>> {
  const signal = where.signal === undefined ? {} : { signal: where.signal }
  try {
    const canonical = await canonicaliseTar({ input: plain, output: null, blobs: where.blobs, ...signal })
    return { sha256: canonical.written.sha256, canonical, refusal: null }
  } catch (error) {
    if (!(error instanceof Failure) || !error.code.startsWith('tar-')) throw error
    return { sha256: (await digestFile(plain, where.signal)).sha256, canonical: null, refusal: `${error.code}: ${error.message}` }
  }
}

function notClaimed(claim: Claim, actual: Sha256): Failure {
  return new Failure({
    code: 'claimed-file-differs',
    message: 'the file that was given as the claimed bytes is something else',
    hint: 'give the very file, or the image layout, whose digest was claimed',
    data: { expected: claim.sha256, actual },
  })
}
