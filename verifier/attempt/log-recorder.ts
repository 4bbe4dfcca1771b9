import type { EmitEvent } from '../model/event.ts'
import { escapeBytes } from '../model/tree-manifest.ts'

const LINE = 4096

/** A build's log: kept whole as bytes (the sandbox bounds it), told line by line with everything that a terminal would obey made visible. */
export class LogRecorder {
  readonly #emit: EmitEvent
  readonly #parts: Uint8Array[] = []
  #rest: Buffer = Buffer.alloc(0)

  constructor(emit: EmitEvent) {
    this.#emit = emit
  }

  write(bytes: Uint8Array): void {
    this.#parts.push(Uint8Array.from(bytes))
    let text = Buffer.concat([this.#rest, bytes])
    for (let end = text.indexOf(0x0a); end >= 0 || text.length > LINE; end = text.indexOf(0x0a)) {
      const cut = end >= 0 && end <= LINE ? end : LINE
      this.#line(text.subarray(0, cut))
      text = text.subarray(end === cut ? cut + 1 : cut)
    }
    this.#rest = text
  }

  /** The last lines, for a person who asks why. */
  tail(lines: number): readonly string[] {
    const text = Buffer.concat(this.#parts.slice(-64)).toString('utf8').trimEnd()
    return text.split('\n').slice(-lines).map(visible)
  }

  async *bytes(): AsyncIterable<Uint8Array> {
    if (this.#rest.length > 0) {
      this.#line(this.#rest)
      this.#rest = Buffer.alloc(0)
    }
    yield* this.#parts
  }

  #line(bytes: Uint8Array): void {
    this.#emit({ kind: 'log', line: visible(Buffer.from(bytes).toString('utf8')) })
  }
}

/** One line as text that does nothing to a terminal; carriage returns at the end are dropped. */
function visible(line: string): string {
  return escapeBytes(Buffer.from(line.replace(/\r+$/, ''), 'utf8'))
    .replaceAll('\\\\', '\\')
    .replaceAll('\\x09', '\t')
    .slice(0, LINE)
}
