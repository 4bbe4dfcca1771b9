import { escapeBytes } from '../model/tree-manifest.ts'

/** Bytes of one line, and characters of what is shown of it; a longer one comes in several. */
const LINE = 4096

/** Cuts a build's log, in whatever parts it comes, into lines that do nothing to a terminal. */
export class LogLines {
  readonly #line: (line: string) => void
  #rest: Buffer = Buffer.alloc(0)

  constructor(line: (line: string) => void) {
    this.#line = line
  }

  write(bytes: Uint8Array): void {
    let text = Buffer.concat([this.#rest, bytes])
    for (let end = text.indexOf(0x0a); end >= 0 || text.length > LINE; end = text.indexOf(0x0a)) {
      const cut = end >= 0 && end <= LINE ? end : LINE
      this.#line(visible(text.subarray(0, cut)))
      text = text.subarray(end === cut ? cut + 1 : cut)
    }
    this.#rest = text
  }

  /** The last line, where nothing ended it. */
  end(): void {
    if (this.#rest.length === 0) return
    this.#line(visible(this.#rest))
    this.#rest = Buffer.alloc(0)
  }
}

/** A log as text, a line each, with everything that a terminal would obey made visible. */
export async function* logText(log: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let said: string[] = []
  const lines = new LogLines((line) => said.push(`${line}\n`))
  for await (const part of log) {
    lines.write(part)
    if (said.length === 0) continue
    yield Buffer.from(said.join(''), 'utf8')
    said = []
  }
  lines.end()
  if (said.length > 0) yield Buffer.from(said.join(''), 'utf8')
}

/** Carriage returns at the end are dropped. */
function visible(bytes: Uint8Array): string {
  return escapeBytes(Buffer.from(Buffer.from(bytes).toString('utf8').replace(/\r+$/, ''), 'utf8'))
    .replaceAll('\\\\', '\\')
    .replaceAll('\\x09', '\t')
    .slice(0, LINE)
}
