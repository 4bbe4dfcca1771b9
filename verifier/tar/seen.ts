import { escapeLatin1 } from '../model/tree-manifest.ts'
import { tarFailure } from './failures.ts'
import type { NameTable } from './name-table.ts'

/** A directory with a member of its own, and one of which only contents were seen. */
const DIRECTORY = -1
const IMPLIED = -2

type Added = {
  readonly name: string
  readonly directory: boolean
  readonly offset: number
  /** Which member it is, counted from 0. */
  readonly index: number
}

/** The tree that the members so far make: refuses what one file system could not hold at once. */
export class SeenPaths {
  /** By sort key (`sortKey`). */
  readonly #keys: NameTable
  /** What each key stands for: a directory of either kind, or the number of the member that is no directory. */
  #holders = new Int32Array(1024)

  constructor(keys: NameTable) {
    this.#keys = keys
  }

  /** The key's number in the table. */
  add(key: string, { name, directory, offset, index }: Added): number {
    const fail = (code: 'tar-path-duplicate' | 'tar-path-under-file'): Error => tarFailure(code, { offset, path: escapeLatin1(name) })
    const before = this.#keys.size
    const number = this.#keys.add(key)
    const held = number === before ? undefined : this.#holders[number]
    if (held !== undefined && held !== IMPLIED) throw fail('tar-path-duplicate')
    if (held === IMPLIED && !directory) throw fail('tar-path-under-file')
    this.#hold(number, directory ? DIRECTORY : index)
    for (let end = key.lastIndexOf('\0'); end > 0; end = key.lastIndexOf('\0', end - 1)) {
      const known = this.#keys.size
      const parent = this.#keys.add(key.slice(0, end))
      if (parent === known) this.#hold(parent, IMPLIED)
      else if ((this.#holders[parent] ?? IMPLIED) >= 0) throw fail('tar-path-under-file')
      else break
    }
    return number
  }

  /** Which member a hard link to this key stands for; undefined where there is none that it may name. */
  fileAt(key: string): number | undefined {
    const number = this.#keys.find(key)
    const held = number === undefined ? IMPLIED : (this.#holders[number] ?? IMPLIED)
    return held >= 0 ? held : undefined
  }

  #hold(number: number, holder: number): void {
    if (number >= this.#holders.length) {
      const larger = new Int32Array(this.#holders.length * 2)
      larger.set(this.#holders)
      this.#holders = larger
    }
    this.#holders[number] = holder
  }
}
