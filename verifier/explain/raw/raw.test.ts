import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Explanation } from '../../model/explanation.ts'
import { viewBuffer } from '../byte-view.ts'
import { explain } from '../explain.ts'
import { EXPLAIN_LIMITS } from '../limits.ts'
import { compareBytes } from './compare-bytes.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-raw-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

let count = 0
async function explained(left: Buffer, right: Buffer, limits = EXPLAIN_LIMITS): Promise<Explanation> {
  count += 1
  const side = async (bytes: Buffer, label: string) => {
    const file = path.join(folder, `${label}-${count}`)
    await writeFile(file, bytes)
    return { manifest: null, file, label }
  }
  return Explanation.parse(await explain({ left: await side(left, 'left'), right: await side(right, 'right'), limits }))
}

function changed(bytes: Buffer, ...changes: readonly (readonly [at: number, hex: string])[]): Buffer {
  const copy = Buffer.from(bytes)
  for (const [at, hex] of changes) Buffer.from(hex, 'hex').copy(copy, at)
  return copy
}

const places = ({ ranges }: Explanation): unknown => ranges.map(({ offset, length, where, rule }) => [offset, length, where, rule])

const PARTITION = 1024 * 1024

/** A disk of 4 MiB with one partition from 1 MiB on, 2 MiB long. */
function disk(content: Buffer): Buffer {
  const bytes = Buffer.alloc(4 * PARTITION)
  bytes.write('EFI PART', 512, 'latin1')
  bytes.writeBigUInt64LE(BigInt(4 * 2048 - 1), 512 + 32)
  bytes.writeBigUInt64LE(2n, 512 + 72)
  bytes.writeUInt32LE(128, 512 + 80)
  bytes.writeUInt32LE(128, 512 + 84)
  bytes.fill(0x11, 1024, 1056)
  bytes.writeBigUInt64LE(2048n, 1024 + 32)
  bytes.writeBigUInt64LE(3n * 2048n - 1n, 1024 + 40)
  bytes.write('root\u001b', 1024 + 56, 'utf16le')
  content.copy(bytes, PARTITION)
  return bytes
}

/** An ext4 superblock at its place, with a copy of it in group 1 (blocks of 1 KiB, 512 of them in a group). */
function ext4(): Buffer {
  const bytes = Buffer.alloc(PARTITION)
  for (const at of [1024, 1024 + 512 * 1024]) {
    bytes.writeUInt32LE(1, at + 0x14)
    bytes.writeUInt32LE(512, at + 0x20)
    bytes.writeUInt16LE(0xef53, at + 0x38)
    bytes.fill(0x22, at + 0xec, at + 0xfc)
  }
  return bytes
}

/** A FAT16 boot sector, and a directory with one entry at 64 KiB. */
function fat(): Buffer {
  const bytes = Buffer.alloc(PARTITION)
  bytes.writeUInt16LE(512, 11)
  bytes.writeUInt16LE(1, 14)
  bytes[16] = 2
  bytes.writeUInt16LE(16, 22)
  bytes.write('FAT16   ', 54, 'latin1')
  bytes.writeUInt16LE(0xaa55, 510)
  bytes.write('BOOTX64 EFI', 65_536, 'latin1')
  bytes[65_536 + 11] = 0x20
  for (const at of [16, 18, 24]) bytes.writeUInt16LE((46 << 9) | (11 << 5) | 23, 65_536 + at)
  return bytes
}

describe('a disk', () => {
  it('has the hash seed of ext4 named in the superblock and its copy, with the checksums', async () => {
    const seed = '33'.repeat(16)
    const image = disk(ext4())
    const at = PARTITION + 1024
    const copy = at + 512 * 1024
    const other = changed(image, [at + 0xec, seed], [at + 0x3fc, 'aabbccdd'], [copy + 0xec, seed], [copy + 0x3fc, 'aabbccdd'])
    const explanation = await explained(image, other)
    const name = String.raw`partition 1 root\x1b`
    expect(places(explanation)).toEqual([
      [at + 0xec, 16, `${name}: ext4 superblock: hash seed`, 'ext4-hash-seed'],
      [at + 0x3fc, 4, `${name}: ext4 superblock: checksum`, 'ext4-hash-seed'],
      [copy + 0xec, 16, `${name}: ext4 superblock copy in group 1: hash seed`, 'ext4-hash-seed'],
      [copy + 0x3fc, 4, `${name}: ext4 superblock copy in group 1: checksum`, 'ext4-hash-seed'],
    ])
    expect(explanation).toMatchObject({ state: 'complete', totals: { bytes: 40, ranges: 4 } })
    expect(explanation.findings.map(({ rule }) => rule)).toEqual(['ext4-hash-seed'])
  })

  it('does not have a checksum explained by a seed when something else differs under it', async () => {
    const at = PARTITION + 1024
    const image = disk(ext4())
    const other = changed(image, [at + 0xec, '33'.repeat(16)], [at + 0x180, '01'], [at + 0x3fc, 'aabbccdd'])
    expect((await explained(image, other)).ranges.map(({ rule }) => rule)).toEqual(['ext4-hash-seed', null, null])
  })

  it('has times in FAT directories told from other differences', async () => {
    const image = disk(fat())
    const entry = PARTITION + 65_536
    expect(places(await explained(image, changed(image, [entry + 14, '0102'], [entry + 22, '0102'])))).toEqual([
      [entry + 14, 10, String.raw`partition 1 root\x1b: times in the FAT directory entry BOOTX64 EFI`, 'fat-time'],
    ])
    expect((await explained(image, changed(image, [entry + 22, '01'], [entry + 28, '01']))).ranges).toMatchObject([{ rule: null }])
    expect((await explained(image, changed(image, [PARTITION + 39, '01020304']))).ranges).toMatchObject([{ rule: 'filesystem-id' }])
  })

  it('has ids of disk and partition told from the rest of the table', async () => {
    const image = disk(Buffer.alloc(10))
    const explanation = await explained(image, changed(image, [512 + 56, '01'], [1024 + 16, '22'], [1024 + 48, '01'], [600_000, '01']))
    expect(places(explanation)).toEqual([
      [568, 1, 'partition table: disk id', 'partition-id'],
      [1040, 1, 'entry 1 of the partition table', 'partition-id'],
      [1072, 1, 'entry 1 of the partition table', null],
      [600_000, 1, null, null],
    ])
    expect(explanation.findings.map(({ rule, evidence }) => [rule, evidence.length])).toEqual([
      ['partition-id', 2],
      ['unexplained', 2],
    ])
  })
})

describe('a file system without a disk around it', () => {
  it.each([
    ['erofs', 1024, 'e2e1f5e0', 1024 + 48, 16, 'erofs superblock: uuid', 'filesystem-id'],
    ['erofs', 1024, 'e2e1f5e0', 1024 + 24, 8, 'erofs superblock: build time', 'filesystem-time'],
    ['erofs', 1024, 'e2e1f5e0', 1024 + 16, 2, 'erofs', null],
    ['squashfs', 0, '68737173', 8, 4, 'squashfs superblock: creation time', 'filesystem-time'],
    ['dm-verity', 0, '7665726974790000', 88, 32, 'dm-verity superblock: salt', 'verity-salt'],
    ['dm-verity', 0, '7665726974790000', 16, 16, 'dm-verity superblock: uuid', 'filesystem-id'],
    ['btrfs', 65_600, '5f42485266535f4d', 65_568, 16, 'btrfs superblock: uuid', 'filesystem-id'],
    ['xfs', 0, '58465342', 32, 16, 'xfs superblock: uuid', 'filesystem-id'],
  ])('has its fields named: %s', async (_, magicAt, magic, at, length, where, rule) => {
    const image = changed(Buffer.alloc(70_000), [magicAt, magic])
    expect(places(await explained(image, changed(image, [at, '5a'.repeat(length)])))).toEqual([[at, length, where, rule]])
  })
})

describe('a UKI', () => {
  function uki(sections: Readonly<Record<string, string>>): Buffer {
    const names = Object.keys(sections)
    const head = Buffer.alloc(0x200 + names.length * 40)
    head.write('MZ', 0, 'latin1')
    head.writeUInt32LE(0x80, 60)
    head.write('PE\0\0', 0x80, 'latin1')
    head.writeUInt16LE(names.length, 0x86)
    const parts = [head]
    let at = head.length
    names.forEach((name, index) => {
      const content = Buffer.from(sections[name] ?? '')
      const entry = 0x80 + 24 + index * 40
      head.write(name, entry, 'latin1')
      head.writeUInt32LE(content.length, entry + 8)
      head.writeUInt32LE(content.length, entry + 16)
      head.writeUInt32LE(at, entry + 20)
      parts.push(content)
      at += content.length
    })
    return Buffer.concat(parts)
  }

  it('is explained section by section', async () => {
    const one = uki({ '.cmdline': 'root=/dev/sda\n', '.osrel': 'BUILD=2026-11-23\n', '.linux': 'kernel' })
    const other = uki({ '.cmdline': 'root=/dev/sda quiet\n', '.osrel': 'BUILD=2026-11-24\n', '.linux': 'kernel' })
    const explanation = await explained(one, other)
    expect(explanation.changes.map((change) => [change.path, change.rules])).toEqual([
      ['.cmdline', ['unexplained']],
      ['.osrel', ['build-date']],
    ])
    expect(explanation.changes[0]?.content?.diff).toEqual(['@@ -1,1 +1,1 @@', '-root=/dev/sda', '+root=/dev/sda quiet'])
  })

  it('has the time in its header named', async () => {
    const one = uki({ '.linux': 'kernel' })
    expect(places(await explained(one, changed(one, [0x88, '01020304'])))).toEqual([[0x88, 4, 'PE header: time', 'pe-timestamp']])
  })
})

describe('any bytes', () => {
  it('are compared as they are, longer ones to their end', async () => {
    expect(await explained(Buffer.from('abc'), Buffer.from('abc'))).toMatchObject({ state: 'complete', ranges: [], findings: [] })
    expect(places(await explained(Buffer.from('abc'), Buffer.from('abdef')))).toEqual([
      [2, 1, null, null],
      [3, 2, 'beyond the end of the shorter one', null],
    ])
  })

  it('keep to the bound of ranges and count the rest', async () => {
    const left = Buffer.alloc(2000)
    const right = Buffer.from(left.map((_, index) => (index % 20 === 0 ? 1 : 0)))
    const explanation = await explained(left, right, { ...EXPLAIN_LIMITS, maxRanges: 10 })
    expect(explanation).toMatchObject({
      state: 'truncated',
      reason: '90 differing stretches are not listed',
      totals: { ranges: 100, bytes: 100 },
    })
    expect(explanation.ranges).toHaveLength(10)
  })

  it('have every differing byte in a range', async () => {
    const bytes = fc.uint8Array({ maxLength: 60, max: 1 })
    await fc.assert(
      fc.asyncProperty(bytes, bytes, async (a, b) => {
        const { ranges, bytes: differing } = await compareBytes({ left: viewBuffer(a), right: viewBuffer(b) }, { maxRanges: 1000 })
        const length = Math.max(a.length, b.length)
        const wanted = Array.from({ length }, (_, at) => at).filter((at) => a[at] !== b[at])
        expect(differing).toBe(wanted.length)
        for (const at of wanted) expect(ranges.some((range) => at >= range.offset && at < range.offset + range.length)).toBe(true)
      }),
    )
  })

  it('under known magics do not make a reader fail', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(disk(ext4()), disk(fat())),
        fc.array(fc.tuple(fc.nat(3000), fc.nat(255)), { maxLength: 8 }),
        fc.boolean(),
        async (base, edits, inside) => {
          const hostile = Buffer.from(base)
          for (const [at, value] of edits) hostile[(inside ? PARTITION : 512) + at] = value
          const other = Buffer.from(hostile)
          other.fill(7, PARTITION + 1000, PARTITION + 3000)
          expect((await explained(hostile, other)).state).toBe('complete')
        },
      ),
      { numRuns: 30 },
    )
  })
})
