import { randomBytes } from 'node:crypto'

/** Bytes of text in one piece of memory; a text never lies across two. */
const PIECE = 256 * 1024
/** What a name takes beside its length, in bytes; an estimate that is there to count short names too. */
export const PER_NAME = 64

/**
 * Texts of one character a byte, each once and by number, in the order in which they came. An archive may have a million names: as strings
 * in a set they would take most of what a reader holds. Here a text takes its length and 24 bytes.
 */
export class NameTable {
  size = 0
  /** What the texts count for in a limit on memory. */
  bytes = 0
  readonly #pieces: Buffer[] = []
  #pieceEnd = PIECE
  readonly #secret = new Int32Array(new Uint8Array(randomBytes(8)).buffer)
  /** Number of the text plus one; 0 where a slot is free. Open addressing, at most half full. */
  #slots = new Int32Array(2048)
  #hashes = new Int32Array(1024)
  #starts = new Float64Array(1024)
  #lengths = new Uint32Array(1024)

  /** The text's number: `size` as it was before, where the text is new. */
  add(text: string): number {
    const hash = hashOf(text, this.#secret)
    const slot = this.#slotOf(text, hash)
    const known = this.#slots[slot] ?? 0
    if (known !== 0) return known - 1
    const number = this.size
    if (number === this.#hashes.length) this.#grow()
    this.#hashes[number] = hash
    this.#lengths[number] = text.length
    this.#starts[number] = this.#store(text)
    this.#slots[this.#freeSlot(hash)] = number + 1
    this.size += 1
    this.bytes += text.length + PER_NAME
    return number
  }

  /** Undefined where the text was not added. */
  find(text: string): number | undefined {
    const known = this.#slots[this.#slotOf(text, hashOf(text, this.#secret))] ?? 0
    return known === 0 ? undefined : known - 1
  }

  text(number: number): string {
    const { piece, from, to } = this.#place(number)
    return piece.toString('latin1', from, to)
  }

  /** Below 0 where the first comes before the other, byte by byte. */
  compare(one: number, other: number): number {
    const [a, b] = [this.#place(one), this.#place(other)]
    return a.piece.compare(b.piece, b.from, b.to, a.from, a.to)
  }

  #place(number: number): { readonly piece: Buffer; readonly from: number; readonly to: number } {
    if (number >= this.size) throw new RangeError('no such text')
    const start = this.#starts[number] ?? 0
    const from = start % PIECE
    return { piece: this.#piece(Math.floor(start / PIECE)), from, to: from + (this.#lengths[number] ?? 0) }
  }

  #piece(index: number): Buffer {
    const piece = this.#pieces[index]
    if (piece === undefined) throw new RangeError('no such text')
    return piece
  }

  /** Where the text stands, or the free slot where it would. */
  #slotOf(text: string, hash: number): number {
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (let known = this.#slots[slot] ?? 0; known !== 0; known = this.#slots[slot] ?? 0) {
      if (this.#hashes[known - 1] === hash && this.#holds(known - 1, text)) return slot
      slot = (slot + 1) & mask
    }
    return slot
  }

  #holds(number: number, text: string): boolean {
    if (this.#lengths[number] !== text.length) return false
    const { piece, from } = this.#place(number)
    for (let at = 0; at < text.length; at += 1) if (piece[from + at] !== text.charCodeAt(at)) return false
    return true
  }

  #freeSlot(hash: number): number {
    const mask = this.#slots.length - 1
    let slot = hash & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    return slot
  }

  #store(text: string): number {
    if (this.#pieces.length === 0 || this.#pieceEnd + text.length > PIECE) {
      this.#pieces.push(Buffer.allocUnsafeSlow(Math.max(PIECE, text.length)))
      this.#pieceEnd = 0
    }
    const last = this.#pieces.length - 1
    const start = last * PIECE + this.#pieceEnd
    this.#piece(last).write(text, this.#pieceEnd, 'latin1')
    this.#pieceEnd += text.length
    return start
  }

  #grow(): void {
    this.#hashes = enlarged(this.#hashes, new Int32Array(this.size * 2))
    this.#starts = enlarged(this.#starts, new Float64Array(this.size * 2))
    this.#lengths = enlarged(this.#lengths, new Uint32Array(this.size * 2))
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let number = 0; number < this.size; number += 1) this.#slots[this.#freeSlot(this.#hashes[number] ?? 0)] = number + 1
  }
}

function enlarged<T extends Int32Array | Uint32Array | Float64Array>(old: T, fresh: T): T {
  fresh.set(old)
  return fresh
}

/**
 * HalfSipHash-1-3 (Aumasson, Bernstein: SipHash; Linux keys its own hash tables by it): without the secret nobody can choose names that
 * all fall into one slot, which would make a small archive take hours.
 */
function hashOf(text: string, secret: Int32Array): number {
  const [k0 = 0, k1 = 0] = secret
  let [v0, v1, v2, v3] = [k0, k1, k0 ^ 0x6c796765, k1 ^ 0x74656462]
  const whole = text.length & ~3
  for (let at = 0; at < whole + 16; at += 4) {
    const word = at < whole ? wordAt(text, at) : at === whole ? lastWord(text, at) : 0
    if (at === whole + 4) v2 ^= 0xff
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return v1 ^ v3
}

function wordAt(text: string, at: number): number {
  return text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8) | (text.charCodeAt(at + 2) << 16) | (text.charCodeAt(at + 3) << 24)
}

/** What is left of the text, and its length. */
function lastWord(text: string, at: number): number {
  let word = text.length << 24
  for (let index = at; index < text.length; index += 1) word |= text.charCodeAt(index) << (8 * (index - at))
  return word
}
