import { fromLatin1, ZEROS } from './bytes.ts'
import { tarFailure } from './failures.ts'
import type { TarLimits } from './limits.ts'
import type { ParsedMember, TarMember } from './member.ts'
import { parseTar } from './parse.ts'

export type StreamedMember = TarMember & {
  /** The full content (holes as zeros), to be read before the next member is asked for; skipped if not read. Slices are not to be kept. */
  readonly body: AsyncIterable<Uint8Array>
  /** The headers as they stand in the archive; valid until the content or the next member is read. */
  readonly rawHeader: Uint8Array
}

/**
 * Reads an uncompressed tar as it streams by, by the rules of `parseTar`: yields each member once, in archive order. Throws a `Failure`
 * with a `tar-…` code on anything that it cannot represent exactly, be it only at the end: nothing read is to be trusted before that.
 * Memory is bounded by the names, not by the contents.
 */
export async function* readTar(bytes: AsyncIterable<Uint8Array>, limits: TarLimits): AsyncGenerator<StreamedMember, void, void> {
  const source = new ByteSource(bytes)
  const parser = parseTar(limits)
  try {
    let step = parser.next(new Uint8Array())
    while (step.done !== true) {
      if ('need' in step.value) {
        step = parser.next(await source.take(step.value.need))
        continue
      }
      const { name, linkName, keyNumber: _key, linkIndex: _index, storedSize, sparse: _sparse, ...member } = step.value.member
      const content = new Content(source, step.value.member)
      yield { ...member, path: fromLatin1(name), linkPath: linkName === null ? null : fromLatin1(linkName), body: content }
      await content.skip()
      if (content.consumed !== storedSize) throw tarFailure('tar-truncated', { offset: member.headerOffset })
      step = parser.next(new Uint8Array())
    }
  } finally {
    await source.close()
  }
}

/** A body as a whole; for members that are known to be small. */
export async function wholeBody(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  // Copied: slices are not to be kept.
  for await (const part of body) parts.push(Uint8Array.from(part))
  return Buffer.concat(parts)
}

/** Stored content of one member, expanded. Handed out once. */
class Content implements AsyncIterable<Uint8Array> {
  consumed = 0
  #state: 'fresh' | 'open' | 'past' = 'fresh'
  readonly #source: ByteSource
  readonly #member: ParsedMember

  constructor(source: ByteSource, member: ParsedMember) {
    this.#source = source
    this.#member = member
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    if (this.#state !== 'fresh') throw new Error('a tar member can be read once, before the next one is asked for')
    this.#state = 'open'
    let at = 0
    for (const extent of this.#member.sparse ?? [{ offset: 0, length: this.#member.size }]) {
      for (; at < extent.offset; at += Math.min(ZEROS.length, extent.offset - at)) yield hole(extent.offset - at)
      yield* this.#stored(extent.length)
      at = extent.offset + extent.length
    }
    for (; at < this.#member.size; at += Math.min(ZEROS.length, this.#member.size - at)) yield hole(this.#member.size - at)
  }

  async skip(): Promise<void> {
    this.#state = 'past'
    for await (const _ of this.#stored(this.#member.storedSize - this.consumed, true));
  }

  async *#stored(length: number, skipping = false): AsyncGenerator<Uint8Array, void, void> {
    for (let left = length; left > 0; ) {
      if (this.#state === 'past' && !skipping) throw new Error('a tar member was read after the next one was asked for')
      const part = await this.#source.some(left)
      if (part.length === 0) throw tarFailure('tar-truncated', { offset: this.#member.headerOffset })
      left -= part.length
      this.consumed += part.length
      yield part
    }
  }
}

function hole(length: number): Uint8Array {
  return ZEROS.subarray(0, Math.min(length, ZEROS.length))
}

/** Hands out a stream's bytes in the portions that are asked for; copies only where a portion spans chunks. */
class ByteSource {
  readonly #iterator: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array()
  #ended = false

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#iterator = bytes[Symbol.asyncIterator]()
  }

  /** The next bytes, at least one and at most `limit`; none at the end. */
  async some(limit: number): Promise<Uint8Array> {
    while (this.#chunk.length === 0 && !this.#ended) {
      const next = await this.#iterator.next()
      if (next.done === true) this.#ended = true
      else this.#chunk = next.value
    }
    const part = this.#chunk.subarray(0, limit)
    this.#chunk = this.#chunk.subarray(part.length)
    return part
  }

  /** Exactly `length` bytes, fewer only at the end. */
  async take(length: number): Promise<Uint8Array> {
    const first = await this.some(length)
    if (first.length === length || first.length === 0) return first
    const parts = [first]
    let size = first.length
    while (size < length) {
      const part = await this.some(length - size)
      if (part.length === 0) break
      parts.push(part)
      size += part.length
    }
    return Buffer.concat(parts)
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#iterator.return?.()
  }
}
