import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import { Sha256 } from '../model/digest.ts'
import { sha256Of } from '../model/hex-digest.ts'

/** Where the content of one file lies in the spool. */
export type Content = { readonly offset: number; readonly size: number; readonly sha256: Sha256 }

const BUFFER = 1024 * 1024

/**
 * All files of a source, one after another in one private file: a hundred thousand small files cost neither a hundred thousand inodes
 * nor memory, and nothing of ours ever opens a path that the source chose.
 */
export class Spool implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER)
  #filled = 0
  #written = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async create(folder: string): Promise<Spool> {
    return new Spool(await open(path.join(folder, 'content'), 'wx+', 0o600))
  }

  /** Appends one file. Slices that the stream yields may be reused by it afterwards. */
  async append(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Content> {
    const offset = this.#written + this.#filled
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of bytes) {
      hash.update(chunk)
      size += chunk.length
      await this.#write(chunk)
    }
    return { offset, size, sha256: sha256Of(hash) }
  }

  async flush(): Promise<void> {
    for (let at = 0; at < this.#filled; ) {
      const { bytesWritten } = await this.#file.write(this.#buffer, at, this.#filled - at, this.#written + at)
      at += bytesWritten
    }
    this.#written += this.#filled
    this.#filled = 0
  }

  async *read(content: Content): AsyncGenerator<Uint8Array, void, void> {
    for (let at = 0; at < content.size; ) {
      const length = Math.min(BUFFER, content.size - at)
      const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafe(length), 0, length, content.offset + at)
      if (bytesRead === 0) throw new Error('the spool of a source is shorter than what was written to it')
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  /** The first bytes of a file, at once: what the recipe reader, which is pure, looks at. */
  head(content: Content, length: number): Uint8Array {
    const bytes = Buffer.alloc(Math.min(length, content.size))
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(this.#file.fd, bytes, at, bytes.length - at, content.offset + at)
      if (read === 0) throw new Error('the spool of a source is shorter than what was written to it')
      at += read
    }
    return bytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#filled === BUFFER) await this.flush()
      const part = chunk.subarray(at, at + BUFFER - this.#filled)
      this.#buffer.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
    }
  }
}
