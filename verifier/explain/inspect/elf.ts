import { type ByteView, viewPart } from '../byte-view.ts'
import { printable } from './printable.ts'

export type ElfSection = { readonly name: string; readonly offset: number; readonly size: number }

const MAX_SECTIONS = 500
const MAX_NAMES = 64 * 1024
const NOBITS = 8

/** Sections with bytes in the file (System V ABI, "Section Header"); null where it is no ELF file or its table is not to be trusted. */
export async function elfSections(view: ByteView): Promise<ElfSection[] | null> {
  const head = await view.read(0, 64)
  if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) return null
  const [wide, little] = [head[4] === 2, head[5] === 1]
  if (wide && head.length < 64) return null
  const half = (bytes: Buffer, at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const word = (bytes: Buffer, at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const long = (bytes: Buffer, at: number): number => Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
  const tableAt = wide ? long(head, 40) : word(head, 32)
  const entrySize = half(head, wide ? 58 : 46)
  const count = half(head, wide ? 60 : 48)
  const namesIndex = half(head, wide ? 62 : 50)
  if (entrySize !== (wide ? 64 : 40) || count === 0 || count > MAX_SECTIONS || namesIndex >= count) return null
  if (!Number.isSafeInteger(tableAt) || tableAt + count * entrySize > view.size) return null
  const table = await view.read(tableAt, count * entrySize)
  const raw = Array.from({ length: count }, (_, index) => {
    const at = index * entrySize
    return {
      name: word(table, at),
      type: word(table, at + 4),
      offset: wide ? long(table, at + 24) : word(table, at + 16),
      size: wide ? long(table, at + 32) : word(table, at + 20),
    }
  })
  const namesAt = raw[namesIndex]
  if (namesAt === undefined) return null
  const names = await viewPart(view, Math.min(namesAt.offset, view.size), Math.min(namesAt.size, MAX_NAMES)).read(0, MAX_NAMES)
  const sections: ElfSection[] = []
  for (const { name, type, offset, size } of raw) {
    if (type === 0 || type === NOBITS || size === 0) continue
    if (!Number.isSafeInteger(offset + size) || offset + size > view.size || name >= names.length) return null
    const end = names.indexOf(0, name)
    sections.push({ name: printable(names.subarray(name, end === -1 ? names.length : end), 80), offset, size })
  }
  // Sections that overlap would make a small file cost much to read.
  return sections.reduce((sum, section) => sum + section.size, 0) > view.size ? null : sections
}

/** The build id (`.note.gnu.build-id`: 16 bytes of note header and name, then the id) in hex; null where there is none. */
export async function buildId(view: ByteView, sections: readonly ElfSection[]): Promise<string | null> {
  const note = sections.find((section) => section.name === '.note.gnu.build-id')
  if (note === undefined || note.size < 17 || note.size > 80) return null
  return (await view.read(note.offset + 16, note.size - 16)).toString('hex')
}
