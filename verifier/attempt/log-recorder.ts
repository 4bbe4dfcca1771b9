import type { EmitEvent } from '../model/event.ts'
import { LogLines } from './log-lines.ts'

/** A build may write a byte at a time: what is kept of it comes in pieces of this size, whatever the writes were. */
const PIECE = 1 << 16

/** A build's log: kept whole as bytes (the sandbox bounds it), told line by line with everything that a terminal would obey made visible. */
export class LogRecorder {
  readonly #lines: LogLines
  readonly #pieces: Buffer[] = []
  #piece: Buffer = Buffer.alloc(0)
  #used = 0

  constructor(emit: EmitEvent) {
    this.#lines = new LogLines((line) => emit({ kind: 'log', line }))
  }

  write(bytes: Uint8Array): void {
    this.#keep(bytes)
    this.#lines.write(bytes)
  }

  async *bytes(): AsyncIterable<Uint8Array> {
    this.#lines.end()
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
}
