import { createReadStream } from 'node:fs'
import { Failure } from '../model/failure.ts'
import { paddingAfter, ZEROS } from '../tar/bytes.ts'
import { encodeTarHeader, endPadding } from '../tar/encode.ts'
import type { TarEntry } from '../tar/member.ts'
import type { OciImage } from './oci-image.ts'
import { checkLayerSize, dockerManifest, OCI_LAYOUT_FILE, ociIndex } from './oci-layout.ts'

/** `[registry[:port]/]name:tag`, as Docker's reference grammar has it. */
const REPO_TAG =
  /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/**
 * The image as one tar that `docker load` takes: manifest.json for engines that know nothing else (Docker 20.10), an OCI layout for
 * those that prefer it. The loaded image's id is the config's digest. Rejects with `oci-layer-size`, `repo-tag-malformed`.
 */
export async function* dockerArchive(image: OciImage, layerPath: string, repoTag?: string): AsyncGenerator<Uint8Array, void, void> {
  if (repoTag !== undefined && !(REPO_TAG.test(repoTag) && repoTag.length <= 255))
    throw new Failure({
      code: 'repo-tag-malformed',
      message: 'not a name and tag of an image',
      hint: 'write name:tag with lower-case letters, digits, dots, dashes and slashes in the name',
    })
  await checkLayerSize(image, layerPath)
  const blob = (sha256: string): string => `blobs/sha256/${sha256}`
  const parts: [path: string, content: Uint8Array | null][] = [
    ['blobs', null],
    ['blobs/sha256', null],
    [blob(image.config.sha256), image.config.bytes],
    [blob(image.manifest.sha256), image.manifest.bytes],
    ['index.json', Buffer.from(ociIndex(image, repoTag))],
    ['manifest.json', Buffer.from(dockerManifest(image, repoTag))],
    ['oci-layout', Buffer.from(OCI_LAYOUT_FILE)],
  ]
  let size = 0
  for (const [path, content] of parts) {
    const header = encodeTarHeader(content === null ? entry(path, 'directory', 0) : entry(path, 'file', content.length))
    const bytes = Buffer.concat([header, content ?? new Uint8Array(), ZEROS.subarray(0, paddingAfter(content?.length ?? 0))])
    size += bytes.length
    yield bytes
  }
  const header = encodeTarHeader(entry(blob(image.layer.sha256), 'file', image.layer.size))
  yield header
  yield* createReadStream(layerPath, { highWaterMark: 1024 * 1024, end: image.layer.size - 1 })
  const padding = paddingAfter(image.layer.size)
  size += header.length + image.layer.size + padding
  yield ZEROS.subarray(0, padding + endPadding(size))
}

function entry(path: string, type: 'file' | 'directory', size: number): TarEntry {
  const owner = { uid: 0, gid: 0, mtime: '0' }
  const mode = type === 'file' ? 0o644 : 0o755
  return { path: Buffer.from(path), type, mode, ...owner, size, linkPath: null, device: null, xattrs: [] }
}
