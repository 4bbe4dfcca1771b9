import { createHash, type Hash, randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { BlobStore, StoredBlob } from '../../verifier/model/blob-store.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { sha256Of } from '../../verifier/model/hex-digest.ts'

/** Bytes that are read at a time. */
const CHUNK = 1 << 20
/** Bytes that are gathered before a write; a chunk that is as large is written without a copy. */
const GATHERED = 256 << 10
/** A file that a live process of this machine may still be writing was touched this recently, ms. */
const IDLE = 10 * 60_000
/** Nothing is written for this long, whatever its owner, ms. */
const ABANDONED = 24 * 3600_000

/** Blobs that lie on this machine. */
export interface LocalBlobs extends BlobStore {
  /**
   * The file of a blob, all of which was read and is as it should be; undefined where it is not at hand, or damaged. Whoever is given it
   * reads it and no more.
   */
  fileOf(sha256: Sha256, signal: AbortSignal): Promise<string | undefined>
}

/**
 * A folder of blobs: `sha256/<two digits>/<64 digits>`, written to `tmp/` first and renamed once they are on the disk, so that a crash
 * leaves either the whole blob or a leftover, which the next `openBlobFolder` sweeps. Several processes may share the folder.
 *
 * Failures: `blob-missing`, `blob-damaged` and `blob-differs` (a put whose bytes are not the expected ones) carry both digests as
 * `data.expected` and `data.actual`; `blob-folder-unusable` where the folder cannot be written.
 */
export async function openBlobFolder(dir: string): Promise<LocalBlobs> {
  try {
    await mkdir(path.join(dir, 'tmp'), { recursive: true })
    await mkdir(path.join(dir, 'sha256'), { recursive: true })
  } catch (cause) {
    throw unusable(cause)
  }
  await sweep(path.join(dir, 'tmp'))
  return new BlobFolder(dir)
}

class BlobFolder implements LocalBlobs {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
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
      if (!(await holds(target, sha256, size))) {
        await file.sync().catch((cause: unknown) => Promise.reject(unusable(cause)))
        await mkdir(path.dirname(target), { recursive: true })
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

  #path(sha256: Sha256): string {
    // Parsed again: the type is a promise of the compiler's, the path is what a hostile digest would climb.
    const hex = Sha256.parse(sha256)
    return path.join(this.#dir, 'sha256', hex.slice(0, 2), hex)
  }
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

async function sweep(dir: string): Promise<void> {
  const now = Date.now()
  for (const name of await readdir(dir)) {
    const file = path.join(dir, name)
    const owner = Number(/^(\d+)-[0-9a-f]+$/.exec(name)?.[1] ?? Number.NaN)
    try {
      const idle = now - (await stat(file)).mtimeMs
      // A process id says little across containers that share the folder, hence the age beside it.
      if (idle > ABANDONED || (idle > IDLE && Number.isSafeInteger(owner) && !isAlive(owner))) await rm(file, { force: true })
    } catch (cause) {
      if (!isMissing(cause)) throw unusable(cause)
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function isMissing(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException | null)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function missing(expected: Sha256): Failure {
  return new Failure({
    code: 'blob-missing',
    message: `blob ${expected} is not in the store`,
    hint: 'fetch or import what it belongs to again',
    data: { expected },
  })
}

function differs(code: 'blob-damaged' | 'blob-differs', expected: Sha256, actual: Sha256): Failure {
  return new Failure({
    code,
    message: `expected bytes of sha256 ${expected}, got ${actual}`,
    hint:
      code === 'blob-damaged'
        ? 'the disk changed a stored blob: check the disk, then fetch it again'
        : 'the sender has other bytes than it should',
    data: { expected, actual },
  })
}

function unusable(cause: unknown): Failure {
  if (cause instanceof Failure) return cause
  return new Failure({
    code: 'blob-folder-unusable',
    message: `the folder of blobs cannot be used (${(cause as NodeJS.ErrnoException | null)?.code ?? 'unknown'})`,
    hint: 'check free space, permissions and the disk below BITWITNESS_HOME',
    audience: 'operator',
    data: { errno: (cause as NodeJS.ErrnoException | null)?.code ?? null },
    cause,
  })
}
