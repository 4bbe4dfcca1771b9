/** Bytes that a slow reader may be behind before the transfer waits for it. */
const ROOM = 4 << 20

/**
 * Lets one reader have the bytes of a transfer while they are recorded. The last chunk is kept back until the recording is complete: who
 * counts bytes never takes for a whole what was not stored. A reader that leaves stops nothing, for the recording goes on without it.
 */
export class Follower implements AsyncIterable<Uint8Array> {
  #chunks: Uint8Array[] = []
  #bytes = 0
  #state: 'open' | 'complete' | 'left' = 'open'
  #failure: Error | undefined
  #readerWakes = (): void => {}
  #writerWakes = (): void => {}

  /** Hands over a chunk; resolves when the reader has room for the next, or has left. */
  async push(chunk: Uint8Array): Promise<void> {
    if (this.#state === 'left') return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    this.#readerWakes()
    while (this.#bytes > ROOM && this.#chunks.length > 1 && this.#state === 'open')
      await new Promise<void>((resolve) => {
        this.#writerWakes = resolve
      })
  }

  complete(): void {
    if (this.#state === 'open') this.#state = 'complete'
    this.#readerWakes()
  }

  fail(error: Error): void {
    this.#failure ??= error
    this.#readerWakes()
  }

  leave(): void {
    this.#state = 'left'
    this.#chunks = []
    this.#bytes = 0
    this.#writerWakes()
    this.#readerWakes()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure
        if (this.#state === 'left') return
        const held = this.#state === 'complete' ? 0 : 1
        const chunk = this.#chunks.length > held ? this.#chunks.shift() : undefined
        if (chunk !== undefined) {
          this.#bytes -= chunk.length
          this.#writerWakes()
          yield chunk
        } else if (this.#state === 'complete') return
        else
          await new Promise<void>((resolve) => {
            this.#readerWakes = resolve
          })
      }
    } finally {
      this.leave()
    }
  }
}
