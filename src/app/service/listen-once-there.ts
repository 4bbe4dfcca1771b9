import { setTimeout as sleep } from 'node:timers/promises'

export type ListenOptions = {
  readonly listen: () => Promise<AsyncDisposable>
  /** ms. */
  readonly againMs: number
  /** Told once. */
  readonly onTrouble: (error: unknown) => void
  /** It listens from now on: what was told before was not heard. */
  readonly onListen: () => void
}

/** Listens until it is disposed of, from now on or, where that fails, from as soon as it can. */
export function listenOnceThere({ listen, againMs, onTrouble, onListen }: ListenOptions): AsyncDisposable {
  const stop = new AbortController()
  const begin = async (): Promise<AsyncDisposable | undefined> => {
    for (let failed = false; !stop.signal.aborted; ) {
      try {
        const listening = await listen()
        onListen()
        return listening
      } catch (error) {
        if (!failed) onTrouble(error)
        failed = true
        await sleep(againMs, undefined, { signal: stop.signal }).catch(() => {})
      }
    }
    return undefined
  }
  const begun = begin()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      const listening = await begun
      await listening?.[Symbol.asyncDispose]()
    },
  }
}
