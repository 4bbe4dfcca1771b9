/** What names the archive so far gave to numbers. Programs that go by the name must come to the same owner as those that go by number. */
export class OwnerNames {
  readonly #numbers = new Map<string, number>()
  readonly #names = new Map<number, string>()

  /** False where the name contradicts the number, or an earlier pair of both. No name fits anything. */
  fits(name: string, id: number): boolean {
    if (name === '') return true
    if ((name === 'root') !== (id === 0)) return false
    if ((this.#numbers.get(name) ?? id) !== id || (this.#names.get(id) ?? name) !== name) return false
    this.#numbers.set(name, id)
    this.#names.set(id, name)
    return true
  }
}
