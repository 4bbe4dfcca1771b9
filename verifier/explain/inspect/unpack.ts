import { promisify } from 'node:util'
import { gunzip, zstdDecompress } from 'node:zlib'

const unpackGzip = promisify(gunzip)
const unpackZstd = promisify(zstdDecompress)

/** The bytes of a gzip or zstd file; null where it is damaged or would grow beyond `maxSize`. */
export async function unpack(format: 'gzip' | 'zstd', bytes: Uint8Array, maxSize: number): Promise<Uint8Array | null> {
  try {
    return await (format === 'gzip' ? unpackGzip(bytes, { maxOutputLength: maxSize }) : unpackZstd(bytes, { maxOutputLength: maxSize }))
  } catch {
    return null
  }
}

/** The time in a gzip header (RFC 1952, MTIME), seconds since the epoch. */
export function gzipTime(bytes: Buffer): number {
  return bytes.length < 10 ? 0 : bytes.readUInt32LE(4)
}
