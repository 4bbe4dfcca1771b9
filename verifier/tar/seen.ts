import { escapeBytes } from '../model/tree-manifest.ts'
import { fromLatin1 } from './bytes.ts'
import { tarFailure } from './failures.ts'

/** What a name takes beside its length, in bytes; an estimate that is there to count short names too. */
export const PER_NAME = 64

/** The tree that the members so far make: refuses what one file system could not hold at once. */
export class SeenPaths {
  /** False for a directory of which only contents were seen, true for one with a member of its own. */
  readonly #directories = new Map<string, boolean>()
  readonly #others = new Set<string>()

  /** Gives the size of what is now kept more, in bytes: folders that are only implied are names as well. */
  add(name: string, options: { readonly directory: boolean; readonly offset: number }): number {
    const fail = (code: 'tar-path-duplicate' | 'tar-path-under-file'): Error =>
      tarFailure(code, { offset: options.offset, path: escapeBytes(fromLatin1(name)) })
    const before = this.#directories.get(name)
    if (before === true || this.#others.has(name)) throw fail('tar-path-duplicate')
    if (before === false && !options.directory) throw fail('tar-path-under-file')
    let kept = name.length + PER_NAME
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const parent = name.slice(0, end)
      if (this.#directories.has(parent)) break
      if (this.#others.has(parent)) throw fail('tar-path-under-file')
      this.#directories.set(parent, false)
      kept += parent.length + PER_NAME
    }
    if (options.directory) this.#directories.set(name, true)
    else this.#others.add(name)
    return kept
  }

  /** Whether a hard link may name it. */
  hasFile(name: string): boolean {
    return this.#others.has(name)
  }
}
