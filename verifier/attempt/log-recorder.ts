import type { EmitEvent } from '../model/event.ts'
import { escapeBytes } from '../model/tree-manifest.ts'

const LINE = 4096
/** A build may write a byte at a time: what is kept of it comes in pieces of this size, whatever the writes were. */
const PIECE = 1 << 16

/** A build's log: kept whole as bytes (the sandbox bounds it), told line by line with everything that a terminal would obey made visible. */
export class LogRecorder {
  readonly #emit: EmitEvent
  readonly #pieces: Buffer[] = []
  #piece: Buffer = Buffer.alloc(0)
  #used = 0
  #rest: Buffer = Buffer.alloc(0)

  constructor(emit: EmitEvent) {
    this.#emit = emit
  }

  write(bytes: Uint8Array): void {
    this.#keep(bytes)
    let text = Buffer.concat([this.#rest, bytes])
    for (let end = text.indexOf(0x0a); end >= 0 || text.length > LINE; end = text.indexOf(0x0a)) {
      const cut = end >= 0 && end <= LINE ? end : LINE
      this.#line(text.subarray(0, cut))
      text = text.subarray(end === cut ? cut + 1 : cut)
    }
    this.#rest = text
  }

  async *bytes(): AsyncIterable<Uint8Array> {
    if (this.#rest.length > 0) {
      this.#line(this.#rest)
      this.#rest = Buffer.alloc(0)
    }
    yield* this.#pieces
    if (this.#used > 0) yield this.#piece.subarray(0, this.#used)
  }

  #keep(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#used === this.#piece.length) {
        if (this.#used > 0) this.#pieces.push(this.#piece)
        this.#piece = Buffer.allocUnsafeSlow(PIECE)
        this.#used = 0
      }
      const taken = Math.min(PIECE - this.#used, bytes.length - at)
      this.#piece.set(bytes.subarray(at, at + taken), this.#used)
      this.#used += taken
      at += taken
    }
  }

  #line(bytes: Uint8Array): void {
    this.#emit({ kind: 'log', line: visible(Buffer.from(bytes).toString('utf8')) })
  }
}

/** One line as text that does nothing to a terminal; carriage returns at the end are dropped. */
function visible(line: string): string {
  return escapeBytes(Buffer.from(line.replace(/\r+$/, ''), 'utf8'))
    .replaceAll('\\\\', '\\')
    .replaceAll('\\x09', '\t')
    .slice(0, LINE)
}
