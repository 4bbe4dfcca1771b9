/** node:util's `inspect.custom`, by the name that it is registered under. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/**
 * A text that must not be shown: printing, inspecting, joining or encoding it gives `[secret]`. Whoever needs the text asks for it by
 * `reveal`, so that each such place can be found.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [INSPECT](): string {
    return '[secret]'
  }
}
