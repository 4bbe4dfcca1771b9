import { type OciImage, stableJson } from '../compare/oci-image.ts'
import { OCI_LAYOUT_FILE, ociIndex } from '../compare/oci-layout.ts'
import type { BlobStore } from '../model/blob-store.ts'
import { Sha256 } from '../model/digest.ts'
import { writeArchiveFile } from '../tar/archive-file.ts'
import { inlineFile, type PlainFile, writeTar } from '../tar/write.ts'
import { type BuilderImage, encodeBuilder } from './image-description.ts'
import { parseLock } from './inputs/parse-lock.ts'

export const DESCRIPTION_NAME = 'builder.json'
export const LOCK_NAME = 'lock.json'
export const BLOB_PREFIX = 'blobs/sha256/'
export const INPUT_PREFIX = 'inputs/'

/** Name that an engine shows for a builder. Nothing of ours relies on it: a builder is known by its digest. */
export function builderTag(builder: BuilderImage): string {
  return `bitwitness/builder:${builder.mkosi}-${builder.digest.slice(0, 12)}`
}

/**
 * The builder as `docker load` takes it: `manifest.json` for Docker 20.10, an OCI layout for engines that prefer one. Fails with
 * `blob-missing` or `blob-damaged` where the store does not hold it whole.
 */
export function builderArchive(builder: BuilderImage, blobs: BlobStore): AsyncIterable<Uint8Array> {
  return writeTar(imageMembers(builder, blobs))
}

/**
 * Writes one file that `docker load` and `importBuilder` both take: the image, `builder.json`, `lock.json` and, with `inputs`, every
 * input of the lock, from which the builder can be made again when no mirror has them any more. The file appears whole or not at all.
 */
export async function exportBuilder(o: {
  builder: BuilderImage
  blobs: BlobStore
  path: string
  inputs: boolean
  signal?: AbortSignal
}): Promise<{ readonly size: number }> {
  const { size } = await writeArchiveFile(o.path, writeTar(allMembers(o)), o.signal)
  return { size }
}

async function* allMembers(o: { builder: BuilderImage; blobs: BlobStore; inputs: boolean }): AsyncGenerator<PlainFile> {
  const lockText = await readBlob(o.blobs, o.builder.lock)
  // First, so that a reader knows what to expect before anything large comes.
  yield inlineFile(DESCRIPTION_NAME, Buffer.from(encodeBuilder(o.builder)))
  yield inlineFile(LOCK_NAME, lockText)
  yield* imageMembers(o.builder, o.blobs)
  if (!o.inputs) return
  const inputs = new Map(parseLock(lockText.toString('utf8')).inputs.map(({ sha256, size }) => [sha256, size]))
  for (const [sha256, size] of [...inputs].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    yield { path: `${INPUT_PREFIX}${sha256}`, size, bytes: await o.blobs.open(sha256) }
}

async function* imageMembers(builder: BuilderImage, blobs: BlobStore): AsyncGenerator<PlainFile> {
  const config = await readBlob(blobs, builder.digest)
  const manifest = await readBlob(blobs, builder.manifest)
  const image: OciImage = {
    config: { bytes: config, sha256: builder.digest },
    manifest: { bytes: manifest, sha256: builder.manifest },
    layer: builder.layer,
  }
  const tag = builderTag(builder)
  const docker = [{ Config: `${BLOB_PREFIX}${builder.digest}`, RepoTags: [tag], Layers: [`${BLOB_PREFIX}${builder.layer.sha256}`] }]
  yield inlineFile('oci-layout', Buffer.from(OCI_LAYOUT_FILE))
  yield inlineFile('index.json', Buffer.from(ociIndex(image, tag)))
  yield inlineFile('manifest.json', Buffer.from(stableJson(docker)))
  yield inlineFile(`${BLOB_PREFIX}${builder.digest}`, config)
  yield inlineFile(`${BLOB_PREFIX}${builder.manifest}`, manifest)
  yield { path: `${BLOB_PREFIX}${builder.layer.sha256}`, size: builder.layer.size, bytes: await blobs.open(builder.layer.sha256) }
}

/** A small blob as a whole. */
export async function readBlob(blobs: BlobStore, sha256: Sha256): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of await blobs.open(Sha256.parse(sha256))) parts.push(Uint8Array.from(part))
  return Buffer.concat(parts)
}
