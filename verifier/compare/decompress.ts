import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, open } from 'node:fs/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Failure } from '../model/failure.ts'

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz'

export type DecompressLimits = {
  /** Bytes that may come out. */
  readonly maxSize: number
  /** Output over input, looked at once more than 1 GiB came out. */
  readonly maxRatio: number
}

export const DECOMPRESS_LIMITS: DecompressLimits = { maxSize: 128 * 1024 ** 3, maxRatio: 1000 }

const RATIO_FROM = 1024 ** 3

const MAGIC: readonly (readonly [Exclude<Compression, 'none'>, string])[] = [
  ['gzip', '1f8b'],
  ['zstd', '28b52ffd'],
  ['xz', 'fd377a585a00'],
]

/**
 * Opens a file by its magic number, never by its name, and gives what is in it. The stream fails with `compressed-damaged` where the
 * data is broken, cut short or followed by anything else, with `decompressed-size` past the limits, with `xz-missing` without xz(1).
 * Bytes are not to be trusted before the stream has ended.
 */
export async function openDecompressed(
  path: string,
  limits: DecompressLimits = DECOMPRESS_LIMITS,
): Promise<{ compression: Compression; bytes: AsyncIterable<Uint8Array> }> {
  const compression = await compressionOf(path)
  return { compression, bytes: bounded(path, compression, limits) }
}

export async function compressionOf(path: string): Promise<Compression> {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0)
  const head = buffer.subarray(0, bytesRead).toString('hex')
  return MAGIC.find(([, magic]) => head.startsWith(magic))?.[0] ?? 'none'
}

async function* bounded(path: string, compression: Compression, limits: DecompressLimits): AsyncGenerator<Uint8Array, void, void> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  let out = 0
  for await (const chunk of raw(file, compression, size)) {
    out += chunk.length
    if (out > limits.maxSize || (out > RATIO_FROM && out > size * limits.maxRatio)) throw tooLarge(out)
    yield chunk
  }
}

function raw(file: FileHandle, compression: Compression, size: number): AsyncIterable<Uint8Array> {
  if (compression === 'none') return file.createReadStream({ highWaterMark: CHUNK, autoClose: false })
  if (compression === 'xz') return unxz(file)
  return inflate(file, compression, size)
}

const CHUNK = 1024 * 1024

async function* inflate(file: FileHandle, compression: 'gzip' | 'zstd', size: number): AsyncGenerator<Uint8Array, void, void> {
  const engine = compression === 'gzip' ? createGunzip({ chunkSize: CHUNK }) : createZstdDecompress({ chunkSize: CHUNK })
  const source = file.createReadStream({ highWaterMark: CHUNK, autoClose: false })
  source.on('error', (error) => engine.destroy(error))
  source.pipe(engine)
  try {
    for await (const chunk of engine) yield chunk as Uint8Array
  } catch (cause) {
    throw damaged(cause)
  } finally {
    source.destroy()
    engine.destroy()
  }
  // The engine stops at the end of the compressed data: what follows would be carried along unseen.
  if (engine.bytesWritten !== size) throw damaged(undefined)
}

async function* unxz(file: FileHandle): AsyncGenerator<Uint8Array, void, void> {
  const child = spawn('xz', ['--decompress', '--stdout', '--memlimit-decompress=256MiB'], { stdio: [file.fd, 'pipe', 'ignore'], env: {} })
  const ended = once(child, 'close').then(
    ([status]) => status as number | null,
    (cause: unknown) => {
      throw new Failure({
        code: 'xz-missing',
        message: 'the program xz could not be started',
        hint: 'install xz-utils',
        audience: 'operator',
        cause,
      })
    },
  )
  ended.catch(() => {})
  try {
    for await (const chunk of child.stdout ?? []) yield chunk as Uint8Array
    if ((await ended) !== 0) throw damaged(undefined)
  } finally {
    child.kill('SIGKILL')
    await ended.catch(() => {})
  }
}

function damaged(cause: unknown): Failure {
  return new Failure({
    code: 'compressed-damaged',
    message: 'the compressed data is broken, cut short or followed by something else',
    hint: 'fetch the file again and compare its digest',
    cause,
  })
}

function tooLarge(size: number): Failure {
  return new Failure({
    code: 'decompressed-size',
    message: 'the file decompresses to more than allowed',
    hint: 'claim the uncompressed file, or raise the limit',
    data: { size },
  })
}
