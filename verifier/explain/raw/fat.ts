import { printable } from '../inspect/printable.ts'
import { fatTime } from '../rules/fat-time.ts'
import { filesystemId } from '../rules/filesystem-id.ts'
import type { Locator, Sides } from './place.ts'

const SLOT = 32
/** Creation (fine, time, date) and access date, then write time and date, in a directory entry (Microsoft FAT specification, 6). */
const TIMES: readonly (readonly [from: number, to: number])[] = [
  [13, 20],
  [22, 26],
]
/** Offsets of 16-bit dates in an entry. */
const DATES = [16, 18, 24]

/** Knows directory entries and the volume id of a FAT file system; null where there is none. */
export async function locateFat({ left, right }: Sides): Promise<Locator | null> {
  const boot = await left.read(0, 512)
  if (boot.length < 512 || boot.readUInt16LE(510) !== 0xaa55) return null
  const wide = boot.toString('latin1', 82, 87) === 'FAT32'
  if (!wide && boot.toString('latin1', 54, 57) !== 'FAT') return null
  const sector = boot.readUInt16LE(11)
  const tables = wide ? boot.readUInt32LE(36) : boot.readUInt16LE(22)
  const data = (boot.readUInt16LE(14) + (boot[16] ?? 0) * tables) * sector
  const idAt = wide ? 67 : 39
  // FAT32 keeps a copy of the boot sector, by custom in the sixth sector.
  const boots = wide ? [0, boot.readUInt16LE(50) * sector] : [0]
  return async ({ offset, length }) => {
    if (boots.some((at) => offset >= at + idAt && offset + length <= at + idAt + 4)) return { where: 'FAT volume id', rule: filesystemId }
    if (offset < data) return { where: 'FAT', rule: null }
    const from = offset - (offset % SLOT)
    const to = offset + length + ((SLOT - ((offset + length) % SLOT)) % SLOT)
    // A stretch may reach over neighbouring entries, but no further than some.
    if (to - from > 64 * SLOT) return { where: 'FAT', rule: null }
    const [a, b] = [await left.read(from, to - from), await right.read(from, to - from)]
    const names: string[] = []
    for (let at = 0; at < a.length; at += SLOT) {
      const [one, other] = [a.subarray(at, at + SLOT), b.subarray(at, at + SLOT)]
      if (Buffer.compare(one, other) === 0) continue
      if (!differsInTimeOnly(one, other)) return { where: 'FAT', rule: null }
      names.push(printable(one.subarray(0, 11), 40).trimEnd())
    }
    return { where: `times in the FAT directory entry ${names.join(', ')}`, rule: fatTime }
  }
}

function differsInTimeOnly(a: Buffer, b: Buffer): boolean {
  if (a.length < SLOT || b.length < SLOT || !isEntry(a) || !isEntry(b)) return false
  return a.every((byte, at) => byte === b[at] || TIMES.some(([from, to]) => at >= from && at < to))
}

/** A short name, attributes that exist, no long-name part, and dates that a calendar has. */
function isEntry(slot: Buffer): boolean {
  const attributes = slot[11] ?? 0
  const name = slot.subarray(0, 11)
  if (name.some((byte) => byte < 0x20) || attributes >= 0x40 || (attributes & 0x0f) === 0x0f) return false
  return DATES.every((at) => {
    const date = slot.readUInt16LE(at)
    const [month, day] = [(date >> 5) & 15, date & 31]
    return date === 0 || (month >= 1 && month <= 12 && day >= 1)
  })
}
