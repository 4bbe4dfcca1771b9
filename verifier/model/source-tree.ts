import type { Sha256 } from './digest.ts'

export type SourceFile = {
  /** Relative to the recipe's folder, `/`-separated, escaped as in tree manifests. */
  readonly path: string
  readonly type: 'f' | 'd' | 'l'
  readonly executable: boolean
  readonly size: number
  readonly sha256: Sha256 | null
  /** Target as written; never followed. */
  readonly link: string | null
}

/** A recipe's folder as data: what the recipe reader sees instead of a file system. */
export interface SourceTree {
  readonly entries: readonly SourceFile[]
  /** Content of a UTF-8 file of at most 1 MiB; undefined for anything else. */
  text(path: string): string | undefined
  /** First 512 bytes of a file, to know it by its magic. */
  head(path: string): Uint8Array | undefined
}
