/** Uploads that have begun and are in no table yet, by owner: what an owner may have is counted with them. */
export class UploadsUnderWay {
  readonly #byOwner = new Map<string, Set<{ readonly bytes: number }>>()

  /** Counts one of this owner's, of at most so many bytes, until it is disposed of; says what others there are already. */
  begin(ownerId: string, bytes: number): Disposable & { readonly others: number; readonly othersBytes: number } {
    const all = this.#byOwner.get(ownerId) ?? new Set()
    const others = all.size
    const othersBytes = [...all].reduce((sum, other) => sum + other.bytes, 0)
    const own = { bytes }
    this.#byOwner.set(ownerId, all.add(own))
    return {
      others,
      othersBytes,
      [Symbol.dispose]: () => {
        all.delete(own)
        if (all.size === 0) this.#byOwner.delete(ownerId)
      },
    }
  }
}
