import { inspect } from 'node:util'

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

  [inspect.custom](): string {
    return '[secret]'
  }
}
