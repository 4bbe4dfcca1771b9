import { Failure } from '../model/failure.ts'
import { TREE_MANIFEST_HEADER, unescapeBytes } from '../model/tree-manifest.ts'
import { latin1 } from '../tar/bytes.ts'
import { sortKey } from '../tar/path.ts'

/**
 * Walks a tree manifest line by line, holding one chunk of it. Throws `tree-manifest-malformed` on what is no manifest and
 * `tree-manifest-unordered` unless the paths rise in canonical order, since a merge would take equal entries for different ones.
 */
export class ManifestCursor {
  /** The line under the cursor, or null at the end. */
  line: string | null = null
  /** Its path as text whose plain order is canonical order. */
  key = ''
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #maxLine: number
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #text = ''
  #at = 0
  #ended = false
  #begun = false

  constructor(bytes: AsyncIterable<Uint8Array>, maxLine: number) {
    this.#chunks = bytes[Symbol.asyncIterator]()
    this.#maxLine = maxLine
  }

  /** Goes to the first line. */
  async begin(): Promise<void> {
    if ((await this.#take()) !== TREE_MANIFEST_HEADER) throw malformed()
    await this.advance()
  }

  /** To the next line; a promise only where more bytes are needed. */
  advance(): Promise<void> | undefined {
    const end = this.#text.indexOf('\n', this.#at)
    if (end === -1) return this.#take().then((line) => this.#settle(line))
    const line = this.#text.slice(this.#at, end)
    this.#at = end + 1
    this.#settle(line)
    return undefined
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#chunks.return?.()
  }

  #settle(line: string | null): void {
    this.line = line
    if (line === null) return
    const key = sortKey(rawPath(line.slice(line.lastIndexOf('\t') + 1)))
    if (this.#begun && key <= this.key) throw unordered()
    this.#begun = true
    this.key = key
  }

  async #take(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf('\n', this.#at)
      if (end !== -1) {
        const line = this.#text.slice(this.#at, end)
        this.#at = end + 1
        return line
      }
      this.#text = this.#text.slice(this.#at)
      this.#at = 0
      if (this.#text.length > this.#maxLine) throw malformed()
      if (this.#ended) {
        // A last line without its end is a manifest that was cut off.
        if (this.#text !== '') throw malformed()
        return null
      }
      const next = await this.#chunks.next()
      if (next.done === true) this.#ended = true
      this.#text += this.#decode(next.done === true ? undefined : next.value)
    }
  }

  #decode(bytes: Uint8Array | undefined): string {
    try {
      return bytes === undefined ? this.#decoder.decode() : this.#decoder.decode(bytes, { stream: true })
    } catch {
      throw malformed()
    }
  }
}

/** A manifest's path as it stands in the archive, one character a byte. */
export function rawPath(escaped: string): string {
  return PLAIN.test(escaped) ? escaped : latin1(unescapeBytes(escaped))
}

const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/

function malformed(): Failure {
  return new Failure({
    code: 'tree-manifest-malformed',
    message: 'the tree manifest cannot be read, or was cut off',
    hint: `make the manifest again; its first line must be ${TREE_MANIFEST_HEADER} and every line must end with a line break`,
  })
}

function unordered(): Failure {
  return new Failure({
    code: 'tree-manifest-unordered',
    message: 'the paths of the tree manifest do not stand in canonical order',
    hint: 'make the manifest again: every path once, each directory directly before its contents, names by their bytes',
  })
}
