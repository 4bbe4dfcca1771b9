type Run<T> = { readonly now: Promise<T>; next: Promise<T> | undefined }

/**
 * Work that many ask for at once, done for all of them together. Whoever asks gets what came of a run that began after they asked: one that is
 * under way may have looked already, so they wait for the next, which is one for all who came meanwhile.
 */
export class SharedRuns<T> {
  readonly #runs = new Map<string, Run<T>>()

  /** What is asked for under one key has to be the same. Rejects as the work does; the next run does not mind. */
  run(key: string, work: () => Promise<T>): Promise<T> {
    const under = this.#runs.get(key)
    if (under === undefined) return this.#start(key, work)
    const start = (): Promise<T> => this.#start(key, work)
    under.next ??= under.now.then(start, start)
    return under.next
  }

  #start(key: string, work: () => Promise<T>): Promise<T> {
    const run: Run<T> = { now: work(), next: undefined }
    this.#runs.set(key, run)
    const over = (): void => {
      if (run.next === undefined) this.#runs.delete(key)
    }
    run.now.then(over, over)
    return run.now
  }
}
