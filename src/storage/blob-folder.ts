import { createHash, type Hash, randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { BlobStore, StoredBlob } from '../../verifier/model/blob-store.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { sha256Of } from '../../verifier/model/hex-digest.ts'
import { differs, isMissing, missing, unusable } from './blob-failures.ts'
import { asideName, sweepLeftovers } from './blob-leftovers.ts'
import { removeIdle, touch } from './blob-removal.ts'
import type { BroughtBlobs } from './brought-blobs.ts'

/** Bytes that are read at a time. */
const CHUNK = 1 << 20
/** Bytes that are gathered before a write; a chunk that is as large is written without a copy. */
const GATHERED = 256 << 10

/** Blobs that lie on this machine. */
export interface LocalBlobs extends BlobStore {
  /**
   * The file of a blob, all of which was read and is as it should be; undefined where it is not at hand, or damaged. Whoever is given it
   * reads it and no more.
   */
  fileOf(sha256: Sha256, signal: AbortSignal): Promise<string | undefined>
  /**
   * Removes a blob that nobody put for so long, ms; false where somebody did, and then it stays. What was put is there whoever removes at
   * the same time.
   */
  remove(sha256: Sha256, idleMs: number): Promise<boolean>
}

/**
 * A folder of blobs: `sha256/<two digits>/<64 digits>`, written to `tmp/` first and renamed once they are on the disk, so that a crash
 * leaves either the whole blob or a leftover, which the next `openBlobFolder` sweeps. Several processes may share the folder.
 *
 * `brought`: told of each blob before it is there.
 *
 * Failures: `blob-missing`, `blob-damaged` and `blob-differs` (a put whose bytes are not the expected ones) carry both digests as
 * `data.expected` and `data.actual`; `blob-folder-unusable` where the folder cannot be written.
 */
export async function openBlobFolder(dir: string, brought?: Pick<BroughtBlobs, 'bring'>): Promise<LocalBlobs> {
  try {
    await mkdir(path.join(dir, 'tmp'), { recursive: true })
    await mkdir(path.join(dir, 'sha256'), { recursive: true })
  } catch (cause) {
    throw unusable(cause)
  }
  await sweepLeftovers(path.join(dir, 'tmp'), (sha256) => placeOf(dir, sha256))
  return new BlobFolder(dir, brought)
}

class BlobFolder implements LocalBlobs {
  readonly #dir: string
  readonly #brought: Pick<BroughtBlobs, 'bring'> | undefined

  constructor(dir: string, brought: Pick<BroughtBlobs, 'bring'> | undefined) {
    this.#dir = dir
    this.#brought = brought
  }

  async put(bytes: AsyncIterable<Uint8Array>, expected?: Sha256): Promise<StoredBlob> {
    const temporary = path.join(this.#dir, 'tmp', `${process.pid}-${randomBytes(12).toString('hex')}`)
    const hash = createHash('sha256')
    try {
      await using file = await open(temporary, 'wx', 0o644).catch((cause: unknown) => Promise.reject(unusable(cause)))
      const size = await spool(bytes, file, hash)
      const sha256 = sha256Of(hash)
      if (expected !== undefined && sha256 !== expected) throw differs('blob-differs', expected, sha256)
      const target = this.#path(sha256)
      // Whoever removes it spares what was put a moment ago.
      if (!((await holds(target, sha256, size)) && (await touch(target)))) {
        await file.sync().catch((cause: unknown) => Promise.reject(unusable(cause)))
        await mkdir(path.dirname(target), { recursive: true })
        await this.#brought?.bring(sha256)
        // Replaces a damaged blob as well: a rename swaps whole files.
        await rename(temporary, target)
      }
      return { sha256, size }
    } finally {
      await rm(temporary, { force: true })
    }
  }

  async open(sha256: Sha256): Promise<AsyncIterable<Uint8Array>> {
    if ((await this.size(sha256)) === undefined) throw missing(sha256)
    return readChecked(this.#path(sha256), sha256)
  }

  async size(sha256: Sha256): Promise<number | undefined> {
    const file = this.#path(sha256)
    try {
      return (await stat(file)).size
    } catch (cause) {
      if (isMissing(cause)) return undefined
      throw unusable(cause)
    }
  }

  async fileOf(sha256: Sha256, signal: AbortSignal): Promise<string | undefined> {
    try {
      for await (const _ of await this.open(sha256)) signal.throwIfAborted()
      return this.#path(sha256)
    } catch (error) {
      if (error instanceof Failure && (error.code === 'blob-missing' || error.code === 'blob-damaged')) return undefined
      throw error
    }
  }

  async remove(sha256: Sha256, idleMs: number): Promise<boolean> {
    const aside = path.join(this.#dir, 'tmp', asideName(sha256, randomBytes(12).toString('hex')))
    return await removeIdle({ target: this.#path(sha256), aside, idleMs }).catch((cause: unknown) => Promise.reject(unusable(cause)))
  }

  #path(sha256: Sha256): string {
    return placeOf(this.#dir, sha256)
  }
}

function placeOf(dir: string, sha256: string): string {
  // Parsed again: the type is a promise of the compiler's, the path is what a hostile digest would climb.
  const hex = Sha256.parse(sha256)
  return path.join(dir, 'sha256', hex.slice(0, 2), hex)
}

/** Writes one chunk while the next is hashed; small chunks are gathered. */
async function spool(bytes: AsyncIterable<Uint8Array>, file: FileHandle, hash: Hash): Promise<number> {
  let size = 0
  let gathered: Uint8Array[] = []
  let length = 0
  let writing: Promise<void> = Promise.resolve()
  const flush = async (): Promise<void> => {
    const whole = gathered.length === 1 && gathered[0] !== undefined ? gathered[0] : Buffer.concat(gathered)
    gathered = []
    length = 0
    await writing
    writing = file.appendFile(whole).catch((cause: unknown) => Promise.reject(unusable(cause)))
    // Looked at by the next flush; until then a rejection must not count as unhandled.
    writing.catch(() => {})
  }
  try {
    for await (const chunk of bytes) {
      if (chunk.length === 0) continue
      size += chunk.length
      hash.update(chunk)
      gathered.push(chunk)
      length += chunk.length
      if (length >= GATHERED) await flush()
    }
    if (length > 0) await flush()
  } finally {
    await writing
  }
  return size
}

/** The last chunk is held back until the digest of all is known: whoever counts bytes never takes a damaged blob for a whole one. */
async function* readChecked(file: string, expected: Sha256): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let held: Uint8Array | undefined
  for await (const chunk of readChunks(file, expected)) {
    if (held !== undefined) yield held
    hash.update(chunk)
    held = chunk
  }
  const actual = sha256Of(hash)
  if (actual !== expected) throw differs('blob-damaged', expected, actual)
  if (held !== undefined) yield held
}

async function* readChunks(target: string, sha256: Sha256): AsyncGenerator<Uint8Array> {
  await using file = await open(target, 'r').catch((cause: unknown) => Promise.reject(isMissing(cause) ? missing(sha256) : unusable(cause)))
  let size = Math.min((await file.stat()).size, CHUNK)
  for (;;) {
    // One byte more than a small blob has, so that its end shows in the same read.
    const buffer = Buffer.allocUnsafe(Math.max(size + 1, 1024))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null).catch((cause: unknown) => Promise.reject(unusable(cause)))
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    size = CHUNK
  }
}

/** Whether these very bytes are there already; a blob of the right name and other bytes is not, and is replaced. */
async function holds(target: string, sha256: Sha256, size: number): Promise<boolean> {
  try {
    if ((await stat(target)).size !== size) return false
    const hash = createHash('sha256')
    for await (const chunk of readChunks(target, sha256)) hash.update(chunk)
    return hash.digest('hex') === sha256
  } catch {
    return false
  }
}
