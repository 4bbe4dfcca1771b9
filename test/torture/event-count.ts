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

  /** Resolves once so many events have come, or none did for so long. */
  async reach(count: number, quietMs: number): Promise<'reached' | 'quiet'> {
    if (this.#count >= count) return 'reached'
    return await new Promise((resolve) => {
      const end = (how: 'reached' | 'quiet'): void => {
        clearTimeout(quiet)
        this.#waiting.delete(look)
        resolve(how)
      }
      const quiet = setTimeout(() => end('quiet'), quietMs)
      const look = (): void => {
        if (this.#count >= count) end('reached')
        else quiet.refresh()
      }
      this.#waiting.add(look)
    })
  }
}
