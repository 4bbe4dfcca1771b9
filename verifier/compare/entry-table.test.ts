import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Sha256 } from '../model/digest.ts'
import type { ParsedMember } from '../tar/member.ts'
import { NameTable } from '../tar/name-table.ts'
import type { Inode } from './canonical-entry.ts'
import { EntryTable } from './entry-table.ts'

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Sha256.parse(Buffer.from(bytes).toString('hex')))
const number = fc.nat({ max: 0xffff_ffff })

const inode: fc.Arbitrary<Inode> = fc.oneof(
  fc.record({
    type: fc.constant('file' as const),
    size: fc.maxSafeNat(),
    target: fc.constant(null),
    device: fc.constant(null),
    xattrs: fc.constantFrom<Inode['xattrs']>([], [['user.a', '00']]),
    dataOffset: fc.maxSafeNat(),
    sparse: fc.constantFrom(null, [{ offset: 0, length: 1 }]),
    sha256: digest,
  }),
  fc.record({
    type: fc.constantFrom('directory' as const, 'symlink' as const, 'character' as const, 'block' as const, 'fifo' as const),
    size: fc.constant(0),
    target: fc.constantFrom(null, '', 'a/b'),
    device: fc.constantFrom(null, '1:3'),
    xattrs: fc.constant([]),
    dataOffset: fc.maxSafeNat(),
    sparse: fc.constant(null),
    sha256: fc.constant(null),
  }),
)

const facts = fc.record({
  mode: fc.nat({ max: 0o7777 }),
  uid: number,
  gid: number,
  mtime: fc.constantFrom('0', '-1.5', '1700000000', '99999999999999'),
})

test('entries come back as they were put in, hard links with what they share', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(facts, inode, fc.option(fc.nat())), { minLength: 1, maxLength: 30 }), (members) => {
      const keys = new NameTable()
      const table = new EntryTable(keys)
      const expected: unknown[] = []
      const own: [index: number, inode: Inode][] = []
      for (const [index, [fields, content, link]] of members.entries()) {
        const key = `key-${index}`
        const [leader, shared] = (link === null ? undefined : own[link % Math.max(1, own.length)]) ?? [null, content]
        if (leader === null) own.push([index, content])
        table.add({ ...fields, keyNumber: keys.add(key) } as ParsedMember, leader ?? content)
        expected.push({ key, ...fields, leader, inode: shared })
      }
      expect(Array.from({ length: table.size }, (_, index) => table.at(index))).toEqual(expected)
    }),
  )
})

test('more entries than one piece of memory holds', () => {
  const keys = new NameTable()
  const table = new EntryTable(keys)
  const plain = { target: null, device: null, xattrs: [], sparse: null, sha256: null, size: 0 }
  for (let index = 0; index < 10_000; index += 1)
    table.add({ keyNumber: keys.add(`k${index}`), mode: index % 512, uid: index, gid: 1, mtime: '7' } as ParsedMember, {
      type: 'directory',
      dataOffset: index,
      ...plain,
    })
  expect([0, 4095, 4096, 9999].map((index) => [table.keyAt(index), table.at(index).uid, table.at(index).inode.dataOffset])).toEqual([
    ['k0', 0, 0],
    ['k4095', 4095, 4095],
    ['k4096', 4096, 4096],
    ['k9999', 9999, 9999],
  ])
  expect(table.compare(1, 2)).toBeLessThan(0)
  expect(() => table.at(10_000)).toThrow(RangeError)
})
