/** Hands pushed chunks to one reader; says when the reader is behind. */
export class OutputQueue implements AsyncIterable<Uint8Array> {
  ended = false
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #failure: Error | undefined
  #wake: () => void = () => {}
  #onDrained: (() => void) | undefined

  /** True where the reader is so far behind that the writer should wait for `drained`. */
  push(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    this.#wake()
    return this.#bytes > 16 << 20
  }

  drained(then: () => void): void {
    this.#onDrained = then
  }

  end(): void {
    this.ended = true
    this.#wake()
  }

  fail(error: Error): void {
    this.#failure ??= error
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) {
        this.#bytes -= chunk.length
        if (this.#bytes < 4 << 20) {
          this.#onDrained?.()
          this.#onDrained = undefined
        }
        yield chunk
      } else if (this.ended) return
      else if (this.#failure !== undefined) throw this.#failure
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}
