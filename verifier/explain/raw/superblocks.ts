import { filesystemId } from '../rules/filesystem-id.ts'
import { filesystemTime } from '../rules/filesystem-time.ts'
import { veritySalt } from '../rules/verity-salt.ts'
import { type Field, fieldAt, type Locator, type Sides } from './place.ts'

type Superblock = {
  readonly name: string
  readonly at: number
  readonly magicAt: number
  readonly magic: string
  readonly fields: readonly Field[]
}

/** File systems that are told by their magic (hex), and the fields of theirs that differ between builds. */
const SUPERBLOCKS: readonly Superblock[] = [
  {
    // Kernel, fs/erofs/erofs_fs.h. The checksum follows from id and time.
    name: 'erofs',
    at: 1024,
    magicAt: 0,
    magic: 'e2e1f5e0',
    fields: [
      { name: 'checksum', at: 4, size: 4, rule: filesystemId },
      { name: 'build time', at: 24, size: 12, rule: filesystemTime },
      { name: 'uuid', at: 48, size: 16, rule: filesystemId },
    ],
  },
  { name: 'squashfs', at: 0, magicAt: 0, magic: '68737173', fields: [{ name: 'creation time', at: 8, size: 4, rule: filesystemTime }] },
  {
    // cryptsetup, lib/verity/verity.c.
    name: 'dm-verity',
    at: 0,
    magicAt: 0,
    magic: '7665726974790000',
    fields: [
      { name: 'uuid', at: 16, size: 16, rule: filesystemId },
      { name: 'salt', at: 88, size: 256, rule: veritySalt },
    ],
  },
  { name: 'xfs', at: 0, magicAt: 0, magic: '58465342', fields: [{ name: 'uuid', at: 32, size: 16, rule: filesystemId }] },
  { name: 'btrfs', at: 65_536, magicAt: 64, magic: '5f42485266535f4d', fields: [{ name: 'uuid', at: 32, size: 16, rule: filesystemId }] },
]

/** Knows the superblocks of other file systems; null where there is none of them. */
export async function locateSuperblock({ left }: Sides): Promise<Locator | null> {
  for (const { name, at, magicAt, magic, fields } of SUPERBLOCKS) {
    const found = await left.read(at + magicAt, magic.length / 2)
    if (found.toString('hex') !== magic) continue
    return async (range) => {
      const field = fieldAt(fields, at, range)
      return field === null ? { where: name, rule: null } : { where: `${name} superblock: ${field.name}`, rule: field.rule }
    }
  }
  return null
}
