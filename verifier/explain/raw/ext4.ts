import type { RuleText } from '../rule.ts'
import { ext4HashSeed } from '../rules/ext4-hash-seed.ts'
import { filesystemId } from '../rules/filesystem-id.ts'
import { filesystemTime } from '../rules/filesystem-time.ts'
import { type Field, fieldAt, type Locator, type Sides } from './place.ts'

const PRIMARY = 1024
const SIZE = 1024
const MAGIC_AT = 0x38

/** Fields of `struct ext4_super_block` (kernel, fs/ext4/ext4.h) that differ between builds. */
const FIELDS: readonly Field[] = [
  { name: 'mount time', at: 0x2c, size: 4, rule: filesystemTime },
  { name: 'write time', at: 0x30, size: 4, rule: filesystemTime },
  { name: 'time of the last check', at: 0x40, size: 4, rule: filesystemTime },
  { name: 'uuid', at: 0x68, size: 16, rule: filesystemId },
  { name: 'hash seed', at: 0xec, size: 16, rule: ext4HashSeed },
  { name: 'creation time', at: 0x108, size: 4, rule: filesystemTime },
]
const CHECKSUM = 0x3fc

/** Knows the superblock and its copies of an ext2, ext3 or ext4 file system; null where there is none. */
export async function locateExt4(sides: Sides): Promise<Locator | null> {
  const head = await sides.left.read(PRIMARY, SIZE)
  if (!isSuperblock(head)) return null
  const blockSize = 1024 << Math.min(head.readUInt32LE(0x18), 6)
  const perGroup = head.readUInt32LE(0x20)
  const firstBlock = head.readUInt32LE(0x14)
  return async (range) => {
    const group = perGroup === 0 ? 0 : Math.floor((Math.floor(range.offset / blockSize) - firstBlock) / perGroup)
    const base = group <= 0 ? PRIMARY : (firstBlock + group * perGroup) * blockSize
    if (range.offset < base || range.offset + range.length > base + SIZE) return { where: 'ext4', rule: null }
    const [a, b] = [await sides.left.read(base, SIZE), await sides.right.read(base, SIZE)]
    if (!isSuperblock(a) || !isSuperblock(b)) return { where: 'ext4', rule: null }
    const which = group <= 0 ? 'ext4 superblock' : `ext4 superblock copy in group ${group}`
    const field = fieldAt(FIELDS, base, range)
    if (field !== null) return { where: `${which}: ${field.name}`, rule: field.rule }
    if (range.offset < base + CHECKSUM) return { where: which, rule: null }
    return { where: `${which}: checksum`, rule: causeOfChecksum(a, b) }
  }
}

function isSuperblock(bytes: Buffer): boolean {
  return bytes.length === SIZE && bytes.readUInt16LE(MAGIC_AT) === 0xef53
}

/** A checksum differs because something under it does: explained where all of that is. */
function causeOfChecksum(a: Buffer, b: Buffer): RuleText | null {
  const differs = ({ at, size }: Field): boolean => Buffer.compare(a.subarray(at, at + size), b.subarray(at, at + size)) !== 0
  const [even, other] = [Buffer.from(a), Buffer.from(b)]
  const fields = FIELDS.filter(differs)
  for (const { at, size } of [...fields, { at: CHECKSUM, size: 4 }]) {
    even.fill(0, at, at + size)
    other.fill(0, at, at + size)
  }
  return Buffer.compare(even, other) === 0 ? (fields.find(({ rule }) => rule === ext4HashSeed)?.rule ?? fields[0]?.rule ?? null) : null
}
