import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Failure } from '../model/failure.ts'
import { latin1 } from '../tar/bytes.ts'
import { SOURCE_TAR_LIMITS, type TarLimits } from '../tar/limits.ts'
import { readTar } from '../tar/read.ts'
import { type OciContents, readOciLayout } from './oci-read.ts'

/** Layouts come from many packers; only their files count here, not their owners and times. */
const LIMITS: TarLimits = { ...SOURCE_TAR_LIMITS, maxEntries: 1000 }

const LAYOUT_FILE = /^(?:oci-layout|index\.json|manifest\.json|repositories|blobs\/sha256\/[0-9a-f]{64})$/
const LAYOUT_FOLDER = /^(?:\.|blobs|blobs\/sha256)$/

/**
 * Unpacks an OCI image layout that came as an uncompressed tar into the new folder `dir`, and reads it. Only names that a layout has
 * are written, and at most `maxBytes`, the holes of sparse files filled. Rejects as `readOciLayout` and `readTar` do.
 */
export async function unpackOciTar(bytes: AsyncIterable<Uint8Array>, dir: string, maxBytes: number): Promise<OciContents> {
  await mkdir(dir)
  await mkdir(path.join(dir, 'blobs', 'sha256'), { recursive: true })
  for await (const member of readTar(bytes, { ...LIMITS, maxFileSize: maxBytes, maxTotalSize: maxBytes })) {
    const name = latin1(member.path)
    if (member.type === 'directory' && LAYOUT_FOLDER.test(name)) continue
    if (member.type !== 'file' || !LAYOUT_FILE.test(name))
      throw new Failure({
        code: 'oci-layout-unsupported',
        message: 'the archive holds more than an OCI image layout',
        hint: 'give an OCI image layout with one image, as mkosi writes it with Format=oci',
      })
    await pipeline(Readable.from(member.body), createWriteStream(path.join(dir, name), { flags: 'wx' }))
  }
  return readOciLayout(dir)
}
