import type { ByteView } from '../byte-view.ts'
import { printable } from '../inspect/printable.ts'
import { partitionId } from '../rules/partition-id.ts'
import { type Field, fieldAt, type Locator } from './place.ts'

export type Partition = { readonly name: string; readonly offset: number; readonly size: number }

export type PartitionTable = { readonly partitions: readonly Partition[]; readonly locate: Locator }

const SECTOR = 512
const ENTRY = 128
const MAX_ENTRIES = 128

/** Fields of the header (UEFI specification, 5.3.2) that a build may draw at random, and what is computed over them. */
const HEADER: readonly Field[] = [
  { name: 'header checksum', at: 16, size: 4, rule: partitionId },
  { name: 'disk id', at: 56, size: 16, rule: partitionId },
  { name: 'checksum of the entries', at: 88, size: 4, rule: partitionId },
]

/** The partition table of a disk image with sectors of 512 bytes; null where there is none. */
export async function readGpt(view: ByteView): Promise<PartitionTable | null> {
  const header = await view.read(SECTOR, SECTOR)
  if (header.length < SECTOR || header.toString('latin1', 0, 8) !== 'EFI PART') return null
  const entriesAt = Number(header.readBigUInt64LE(72)) * SECTOR
  const backupAt = Number(header.readBigUInt64LE(32)) * SECTOR
  const count = Math.min(header.readUInt32LE(80), MAX_ENTRIES)
  if (header.readUInt32LE(84) !== ENTRY || !Number.isSafeInteger(entriesAt) || !Number.isSafeInteger(backupAt)) return null
  const entries = await view.read(entriesAt, count * ENTRY)
  const partitions: Partition[] = []
  for (let at = 0; at + ENTRY <= entries.length; at += ENTRY) {
    const first = Number(entries.readBigUInt64LE(at + 32))
    const last = Number(entries.readBigUInt64LE(at + 40))
    if (first === 0 || last < first || (last + 1) * SECTOR > view.size) continue
    const label = entries.toString('utf16le', at + 56, at + ENTRY).replace(/\0.*$/s, '')
    partitions.push({
      name: `partition ${at / ENTRY + 1} ${printable(Buffer.from(label), 60)}`.trimEnd(),
      offset: first * SECTOR,
      size: (last - first + 1) * SECTOR,
    })
  }
  const locate: Locator = async (range) => {
    for (const [at, which] of [
      [SECTOR, 'partition table'],
      [backupAt, 'second partition table'],
    ] as const) {
      const field = fieldAt(HEADER, at, range)
      if (field !== null) return { where: `${which}: ${field.name}`, rule: field.rule }
    }
    // The second table's entries end where its header begins.
    for (const at of [entriesAt, backupAt - count * ENTRY]) {
      const inside = range.offset - at
      if (inside < 0 || inside + range.length > count * ENTRY) continue
      const within = inside % ENTRY
      const isId = within >= 16 && within + range.length <= 32
      return { where: `entry ${Math.floor(inside / ENTRY) + 1} of the partition table`, rule: isId ? partitionId : null }
    }
    return null
  }
  return { partitions, locate }
}
