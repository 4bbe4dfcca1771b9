import { expect, test } from 'vitest'
import { collectTar, inPieces } from '../tar/testing/collect.ts'
import { rawMember, rawPax, rawTar } from '../tar/testing/raw-tar.ts'
import { readRoot } from './image-root.ts'

async function through(tar: Uint8Array, piece: number): Promise<{ bytes: Buffer; packages: () => Uint8Array }> {
  const root = readRoot(inPieces(tar, piece))
  const parts: Uint8Array[] = []
  for await (const part of root.bytes) parts.push(Uint8Array.from(part))
  return { bytes: Buffer.concat(parts), packages: () => root.packages() }
}

const DEVICES = [
  rawMember({ name: './dev/', type: '5' }),
  rawMember({ name: './dev/console', type: '3', major: '0000005\0', minor: '0000001\0' }),
  rawMember({ name: './dev/fd', type: '2', link: '/proc/self/fd' }),
]
const LIST = 'mkosi\t25.3-7\tall\n'

test.each([1, 511, 65536])('devices are left out and everything else stays, in pieces of %i bytes', async (piece) => {
  const capability = '\x01\x00\x00\x02\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'
  const tar = rawTar(
    ...DEVICES,
    rawMember({ name: './usr/lib/bitwitness/packages' }, LIST),
    rawPax([['SCHILY.xattr.security.capability', capability]]),
    rawMember({ name: './usr/bin/newuidmap', mode: '0000755\0' }, 'x'.repeat(700)),
    rawMember({ name: './etc/dev/console' }, 'a file of that name'),
  )
  const root = await through(tar, piece)
  const members = await collectTar(root.bytes)
  expect(members.map(({ member, content }) => [Buffer.from(member.path).toString(), member.type, content.length])).toEqual([
    ['dev', 'directory', 0],
    ['usr/lib/bitwitness/packages', 'file', LIST.length],
    ['usr/bin/newuidmap', 'file', 700],
    ['etc/dev/console', 'file', 19],
  ])
  expect(members[2]?.member.xattrs).toEqual([['security.capability', Buffer.from(capability, 'latin1').toString('hex')]])
  expect(Buffer.from(root.packages()).toString()).toBe(LIST)
})

test('a root without a list of packages is refused', async () => {
  const root = await through(rawTar(...DEVICES), 65536)
  expect(root.packages).toThrow(expect.objectContaining({ code: 'builder-root-malformed' }))
})

test('a root that ends early is refused', async () => {
  const tar = rawTar(rawMember({ name: './usr/lib/bitwitness/packages' }, LIST))
  await expect(through(tar.subarray(0, 700), 65536)).rejects.toMatchObject({ code: 'tar-truncated' })
})
