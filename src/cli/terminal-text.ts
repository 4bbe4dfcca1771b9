import { visible } from '../../verifier/model/visible.ts'

/** Bytes that a terminal is to show as lines: nothing in them moves its cursor or hides anything. */
export class TerminalText {
  readonly #decoder = new TextDecoder()

  write(bytes: Uint8Array): string {
    return lineByLine(this.#decoder.decode(bytes, { stream: true }))
  }

  /** What is left of a character that was cut off. */
  end(): string {
    return lineByLine(this.#decoder.decode())
  }
}

function lineByLine(text: string): string {
  return text.replaceAll(/[^\n\t]+/g, visible)
}
