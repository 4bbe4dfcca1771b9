import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'
import type { Sha256 } from '../model/digest.ts'
import { sha256Of } from '../model/hex-digest.ts'

const WINDOW = 256 * 1024

/** Walks a file once in large reads and digests all of it on the way. Slices are valid until the next call. */
export class FileWindow {
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW)
  readonly #hash = createHash('sha256')
  #start = 0
  #end = 0
  #size = 0

  constructor(fd: number) {
    this.#fd = fd
  }

  /** Where in the file the next byte is. */
  get offset(): number {
    return this.#size - (this.#end - this.#start)
  }

  /** The next bytes, at least one and at most `limit`; none at the end. */
  some(limit: number): Uint8Array {
    if (this.#start === this.#end) this.#fill()
    const part = this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + limit))
    this.#start += part.length
    return part
  }

  /** Exactly that many bytes if they are at hand in one piece. */
  whole(length: number): Uint8Array | undefined {
    if (this.#start === this.#end) this.#fill()
    return length <= this.#end - this.#start ? this.some(length) : undefined
  }

  /** Exactly `length` bytes, fewer only at the end of the file. */
  take(length: number): Uint8Array {
    const whole = this.whole(length)
    if (whole !== undefined) return whole
    const parts: Uint8Array[] = []
    for (let left = length; left > 0; ) {
      const part = this.some(left)
      if (part.length === 0) break
      parts.push(Uint8Array.from(part))
      left -= part.length
    }
    return Buffer.concat(parts)
  }

  finish(): { sha256: Sha256; size: number } {
    return { sha256: sha256Of(this.#hash), size: this.#size }
  }

  #fill(): void {
    this.#start = 0
    this.#end = readSync(this.#fd, this.#buffer, 0, WINDOW, this.#size)
    this.#size += this.#end
    this.#hash.update(this.#buffer.subarray(0, this.#end))
  }
}
