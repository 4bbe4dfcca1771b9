import { sourceFailure } from '../failures.ts'
import type { Git } from './git.ts'
import { inRepository } from './repository.ts'

type TakeBlob = (object: string, bytes: AsyncIterable<Uint8Array>, size: number) => Promise<void>

/** Hands out the content of each object in turn, through one `git cat-file`. `take` reads all of it, or throws. */
export async function readBlobs(git: Git, gitDir: string, objects: readonly string[], take: TakeBlob): Promise<void> {
  if (objects.length === 0) return
  const input = inPieces(objects)
  const output = git.stream(inRepository(gitDir, 'cat-file', '--batch', '--buffer'), { input })
  const reader = new Reader(output)
  try {
    for (const object of objects) {
      const header = await reader.line()
      const [, type, size] = /^[0-9a-f]+ ([a-z]+) (\d+)$/.exec(header) ?? []
      if (!header.startsWith(`${object} `) || type !== 'blob' || size === undefined) throw sourceFailure('source-objects-malformed')
      await take(object, reader.exactly(Number(size)), Number(size))
      if ((await reader.line()) !== '') throw sourceFailure('source-objects-malformed')
    }
    await reader.end()
  } finally {
    await output.return()
  }
}

function* inPieces(objects: readonly string[]): Generator<Uint8Array, void, void> {
  for (let at = 0; at < objects.length; at += 1000) yield Buffer.from(`${objects.slice(at, at + 1000).join('\n')}\n`)
}

class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array()

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Up to the next newline, which is taken and not given. */
  async line(): Promise<string> {
    let text = ''
    for (;;) {
      const end = this.#chunk.indexOf(0x0a)
      const part = end < 0 ? this.#chunk : this.#chunk.subarray(0, end)
      text += Buffer.from(part).toString('latin1')
      if (text.length > 256) throw sourceFailure('source-objects-malformed')
      this.#chunk = this.#chunk.subarray(end < 0 ? this.#chunk.length : end + 1)
      if (end >= 0) return text
      await this.#more()
    }
  }

  async *exactly(size: number): AsyncGenerator<Uint8Array, void, void> {
    for (let left = size; left > 0; ) {
      if (this.#chunk.length === 0) await this.#more()
      const part = this.#chunk.subarray(0, left)
      this.#chunk = this.#chunk.subarray(part.length)
      left -= part.length
      yield part
    }
  }

  async end(): Promise<void> {
    if (this.#chunk.length > 0 || (await this.#chunks.next()).done !== true) throw sourceFailure('source-objects-malformed')
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next()
    if (next.done === true) throw sourceFailure('source-objects-malformed')
    this.#chunk = next.value
  }
}
