import { printable } from './printable.ts'
import type { Inspection } from './signal.ts'

type ZipMember = { readonly name: string; readonly time: number; readonly crc: number; readonly size: number }

const MAX_MEMBERS = 20_000
const MAX_NAMED = 10
/** End of central directory record with the longest comment (APPNOTE 4.3.16). */
const MAX_TAIL = 22 + 65_535

/** The central directory (APPNOTE 4.3.12); null where it is no plain zip file. */
function readZip(bytes: Buffer): ZipMember[] | null {
  const tail = bytes.lastIndexOf('PK\x05\x06', bytes.length, 'latin1')
  if (tail === -1 || tail + 22 > bytes.length || bytes.length - tail > MAX_TAIL) return null
  const count = bytes.readUInt16LE(tail + 10)
  if (count > MAX_MEMBERS) return null
  const members: ZipMember[] = []
  let at = bytes.readUInt32LE(tail + 16)
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50) return null
    const [name, extra, comment] = [bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32)]
    members.push({
      name: printable(bytes.subarray(at + 46, at + 46 + name), 100),
      time: bytes.readUInt32LE(at + 12),
      crc: bytes.readUInt32LE(at + 16),
      size: bytes.readUInt32LE(at + 24),
    })
    at += 46 + name + extra + comment
  }
  return members
}

/** Which members of two zip files (jar, wheel, whl) differ, and whether only their times do. */
export function inspectZip(left: Buffer, right: Buffer): (Pick<Inspection, 'signals' | 'whole'> & { notes: string[] }) | null {
  const [a, b] = [readZip(left), readZip(right)]
  if (a === null || b === null) return null
  if (a.length !== b.length || a.some((member, index) => member.name !== b[index]?.name))
    return { notes: [`${a.length} → ${b.length} members, or in another order`], signals: [], whole: false }
  const contents = a.filter((member, index) => member.crc !== b[index]?.crc || member.size !== b[index]?.size)
  const times = a.flatMap((member, index) => (member.time === b[index]?.time ? [] : [[member, b[index]] as const]))
  const rest = contents.length - MAX_NAMED
  const notes =
    contents.length === 0
      ? []
      : [
          `members that differ: ${contents
            .slice(0, MAX_NAMED)
            .map((one) => one.name)
            .join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`,
        ]
  const [sample] = times
  if (sample === undefined || contents.length > 0) return { notes, signals: [], whole: false }
  return {
    notes,
    signals: [{ id: 'zip-time', evidence: `${sample[0].name}: ${dosTime(sample[0].time)} → ${dosTime(sample[1]?.time ?? 0)}` }],
    whole: left.length === right.length,
  }
}

/** MS-DOS date in the upper, time in the lower 16 bits. */
export function dosTime(value: number): string {
  const [time, date] = [value & 0xffff, value >>> 16]
  const two = (number: number): string => String(number).padStart(2, '0')
  return `${1980 + (date >> 9)}-${two((date >> 5) & 15)}-${two(date & 31)} ${two(time >> 11)}:${two((time >> 5) & 63)}:${two((time & 31) * 2)}`
}
