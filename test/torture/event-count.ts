/** Counts what happens in the service, as its processes tell it, for whoever waits for so much of it. */
export class EventCount {
  #count = 0
  readonly #waiting = new Set<() => void>()

  get count(): number {
    return this.#count
  }

  add(): void {
    this.#count += 1
    for (const look of this.#waiting) look()
  }

  /** Resolves once so many events have come, none did for so long, or nobody waits for them any more. */
  async reach(count: number, quietMs: number, signal?: AbortSignal): Promise<'reached' | 'quiet' | 'over'> {
    if (this.#count >= count) return 'reached'
    if (signal?.aborted === true) return 'over'
    return await new Promise((resolve) => {
      const end = (how: 'reached' | 'quiet' | 'over'): void => {
        clearTimeout(quiet)
        this.#waiting.delete(look)
        signal?.removeEventListener('abort', onOver)
        resolve(how)
      }
      const onOver = (): void => end('over')
      signal?.addEventListener('abort', onOver)
      const quiet = setTimeout(() => end('quiet'), quietMs)
      const look = (): void => {
        if (this.#count >= count) end('reached')
        else quiet.refresh()
      }
      this.#waiting.add(look)
    })
  }
}
