import { escapeBytes } from '../model/tree-manifest.ts'
import { fromLatin1 } from './bytes.ts'
import { tarFailure } from './failures.ts'

/** The tree that the members so far make: refuses what one file system could not hold at once. */
export class SeenPaths {
  /** False for a directory of which only contents were seen, true for one with a member of its own. */
  readonly #directories = new Map<string, boolean>()
  readonly #others = new Set<string>()

  add(name: string, options: { readonly directory: boolean; readonly offset: number }): void {
    const fail = (code: 'tar-path-duplicate' | 'tar-path-under-file'): Error =>
      tarFailure(code, { offset: options.offset, path: escapeBytes(fromLatin1(name)) })
    const before = this.#directories.get(name)
    if (before === true || this.#others.has(name)) throw fail('tar-path-duplicate')
    if (before === false && !options.directory) throw fail('tar-path-under-file')
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const parent = name.slice(0, end)
      if (this.#directories.has(parent)) break
      if (this.#others.has(parent)) throw fail('tar-path-under-file')
      this.#directories.set(parent, false)
    }
    if (options.directory) this.#directories.set(name, true)
    else this.#others.add(name)
  }

  /** Whether a hard link may name it. */
  hasFile(name: string): boolean {
    return this.#others.has(name)
  }
}
