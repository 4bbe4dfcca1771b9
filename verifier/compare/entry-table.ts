import type { Sha256 } from '../model/digest.ts'
import type { ParsedMember } from '../tar/member.ts'
import type { NameTable } from '../tar/name-table.ts'
import type { IndexedEntry, Inode } from './canonical-entry.ts'

/** Entries in one piece of memory. */
const RECORDS = 4096
/** Numbers of one entry: key, mode, owner, group, time, leader, type with what is rare, size, place of the content. */
const FIELDS = 9
const DIGEST = 32

const TYPES: readonly Inode['type'][] = ['file', 'directory', 'symlink', 'character', 'block', 'fifo']

/** What most entries do not have. */
type Rare = Pick<Inode, 'target' | 'device' | 'xattrs' | 'sparse'>

const NONE: Rare = { target: null, device: null, xattrs: [], sparse: null }

/**
 * The index of an archive, in archive order. An image has tens of thousands of entries, up to a million: as objects they would take most
 * of the memory of a comparison. Packed, an entry takes 104 bytes, besides its key in the parser's table.
 */
export class EntryTable {
  size = 0
  readonly #keys: NameTable
  readonly #numbers: Float64Array[] = []
  readonly #digests: Buffer[] = []
  readonly #rare: Rare[] = [NONE]
  readonly #times: string[] = []
  readonly #timeOf = new Map<string, number>()

  constructor(keys: NameTable) {
    this.#keys = keys
  }

  /** `of`: what is in the file, or for a hard link which entry it names, never itself a hard link. */
  add({ keyNumber, mode, uid, gid, mtime }: ParsedMember, of: Inode | number): void {
    const index = this.size
    if (index % RECORDS === 0) {
      this.#numbers.push(new Float64Array(RECORDS * FIELDS))
      this.#digests.push(Buffer.alloc(RECORDS * DIGEST))
    }
    this.size += 1
    const own = typeof of === 'number' ? null : of
    const { numbers, at } = this.#record(index)
    numbers[at] = keyNumber
    numbers[at + 1] = mode
    numbers[at + 2] = uid
    numbers[at + 3] = gid
    numbers[at + 4] = this.#time(mtime)
    numbers[at + 5] = typeof of === 'number' ? of : -1
    if (own === null) return
    numbers[at + 6] = TYPES.indexOf(own.type) + TYPES.length * this.#rarity(own)
    numbers[at + 7] = own.size
    numbers[at + 8] = own.dataOffset
    if (own.sha256 !== null) this.#digestsOf(index).write(own.sha256, (index % RECORDS) * DIGEST, 'hex')
  }

  /** A copy of one entry. */
  at(index: number): IndexedEntry {
    const { numbers, at } = this.#record(index)
    const leader = this.leaderOf(index)
    return {
      key: this.keyAt(index),
      mode: numbers[at + 1] ?? 0,
      uid: numbers[at + 2] ?? 0,
      gid: numbers[at + 3] ?? 0,
      mtime: this.#times[numbers[at + 4] ?? 0] ?? '0',
      leader,
      inode: this.#inode(leader ?? index),
    }
  }

  keyAt(index: number): string {
    return this.#keys.text(this.#keyNumber(index))
  }

  leaderOf(index: number): number | null {
    const { numbers, at } = this.#record(index)
    const leader = numbers[at + 5] ?? -1
    return leader === -1 ? null : leader
  }

  /** By keys: below 0 where the first comes first in canonical order. */
  compare(one: number, other: number): number {
    return this.#keys.compare(this.#keyNumber(one), this.#keyNumber(other))
  }

  #keyNumber(index: number): number {
    const { numbers, at } = this.#record(index)
    return numbers[at] ?? 0
  }

  #inode(index: number): Inode {
    const { numbers, at } = this.#record(index)
    const packed = numbers[at + 6] ?? 0
    const type = TYPES[packed % TYPES.length] ?? 'file'
    const from = (index % RECORDS) * DIGEST
    return {
      type,
      size: numbers[at + 7] ?? 0,
      dataOffset: numbers[at + 8] ?? 0,
      // Read back as it was written: it was checked when it was made.
      sha256: type === 'file' ? (this.#digestsOf(index).toString('hex', from, from + DIGEST) as Sha256) : null,
      ...(this.#rare[Math.floor(packed / TYPES.length)] ?? NONE),
    }
  }

  #record(index: number): { readonly numbers: Float64Array; readonly at: number } {
    const numbers = this.#numbers[Math.floor(index / RECORDS)]
    if (numbers === undefined || index >= this.size) throw new RangeError('no such entry')
    return { numbers, at: (index % RECORDS) * FIELDS }
  }

  #digestsOf(index: number): Buffer {
    const digests = this.#digests[Math.floor(index / RECORDS)]
    if (digests === undefined) throw new RangeError('no such entry')
    return digests
  }

  #time(mtime: string): number {
    const known = this.#timeOf.get(mtime)
    if (known !== undefined) return known
    this.#timeOf.set(mtime, this.#times.length)
    return this.#times.push(mtime) - 1
  }

  #rarity({ target, device, xattrs, sparse }: Inode): number {
    if (target === null && device === null && xattrs.length === 0 && sparse === null) return 0
    return this.#rare.push({ target, device, xattrs, sparse }) - 1
  }
}
