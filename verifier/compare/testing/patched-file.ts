import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { fresh, type Parts, sizeOf } from './parts.ts'

/** A file that becomes one archive after the other, written only where they differ: most of a large one stays as it is. */
export class PatchedFile implements Disposable {
  readonly path: string
  readonly #fd: number
  #held: Parts = []

  constructor(path: string) {
    this.path = path
    this.#fd = openSync(path, 'wx', 0o600)
  }

  become(parts: Parts): void {
    for (const { offset, bytes } of fresh(this.#held, parts))
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at, offset + at)
    ftruncateSync(this.#fd, sizeOf(parts))
    this.#held = parts
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}
