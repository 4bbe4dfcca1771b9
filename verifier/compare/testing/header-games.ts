import { rawHeader, rawMember, rawPax } from '../../tar/testing/raw-tar.ts'
import { type Member, packMember, packMembers } from './members.ts'
import type { Expected, Mutator } from './mutations.ts'

/** The archive with the headers and content of one member replaced by other bytes. */
function splice(members: readonly Member[], at: Member, bytes: (packed: Buffer) => Uint8Array): Buffer {
  const before = members.slice(0, members.indexOf(at)).flatMap(packMember)
  const after = members.slice(members.indexOf(at) + 1)
  return Buffer.concat([...before, bytes(Buffer.concat(packMember(at))), packMembers(after)])
}

/** A change to one header that has no extended header yet, its checksum made right again. */
function patch(expected: Expected, change: (header: Buffer) => void): Mutator {
  return (members, random) => {
    const member = random.pick(members.filter((one) => one.entry.type === 'file' && packMember(one)[0]?.length === 512))
    if (member === undefined) return undefined
    const archive = splice(members, member, (packed) => {
      const copy = Buffer.from(packed)
      change(copy)
      copy.fill(' ', 148, 156)
      const sum = copy.subarray(0, 512).reduce((total, byte) => total + byte, 0)
      copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
      return copy
    })
    return { expected, paths: [], archive }
  }
}

/** Extended headers put before a member that has none. */
function before(expected: Expected, extra: (name: string) => Uint8Array): Mutator {
  return (members, random) => {
    const member = random.pick(members.filter((one) => one.entry.type === 'file' && packMember(one)[0]?.length === 512))
    if (member === undefined) return undefined
    const name = `./${Buffer.from(member.entry.path).toString('latin1')}`
    return { expected, paths: [], archive: splice(members, member, (packed) => Buffer.concat([extra(name), packed])) }
  }
}

function behind(expected: Expected, tail: Buffer): Mutator {
  return (members) => ({ expected, paths: [], archive: Buffer.concat([packMembers(members), tail]) })
}

/** Changes to how a tree is written: harmless ones, and those that carry or mean something more. */
export const HEADER_GAMES: Readonly<Record<string, Mutator>> = {
  'encoding-pax-path': before('equal', (name) => rawPax([['path', name]])),
  'encoding-long-name': before('equal', (name) => rawMember({ name: '././@LongLink', type: 'L', magic: 'ustar  \0' }, `${name}\0`)),
  'encoding-gnu': patch('equal', (header) => void header.write('ustar  \0', 257, 'latin1')),
  'encoding-type-nul': patch('equal', (header) => void header.write('\0', 156, 'latin1')),
  'encoding-mode-bits': patch('equal', (header) => void header.write('01', 100, 'latin1')),
  'encoding-zero-device': patch('equal', (header) => void header.write('0000000\x000000000', 329, 'latin1')),
  'end-padding': behind('equal', Buffer.alloc(512)),
  'pax-unknown-key': before('refused', () => rawPax([['comment', 'hidden']])),
  'pax-atime': before('refused', () => rawPax([['atime', '1']])),
  'pax-global': before('refused', () => rawPax([['mtime', '1']], 'g')),
  'pax-twice': before('refused', (name) => Buffer.concat([rawPax([['path', name]]), rawPax([['path', name]])])),
  'pax-key-twice': before('refused', (name) => rawPax([['path', './elsewhere'], ['path', name]])), // biome-ignore format: one line
  'pax-path-climbs': before('refused', (name) => rawPax([['path', `./x/../${name}`]])),
  'path-absolute': before('refused', (name) => rawPax([['path', name.slice(1)]])),
  'path-dot-twice': before('refused', (name) => rawPax([['path', `./${name}`]])),
  'path-double-slash': before('refused', (name) => rawPax([['path', `.//${name.slice(2)}`]])),
  'header-tail': patch('refused', (header) => void header.write('x', 505, 'latin1')),
  'header-link-name': patch('refused', (header) => void header.write('x', 157, 'latin1')),
  'header-device': patch('refused', (header) => void header.write('0000001', 329, 'latin1')),
  'header-type': patch('refused', (header) => void header.write('7', 156, 'latin1')),
  'header-name-tail': patch('refused', (header) => void header.write('x', 99, 'latin1')),
  'trailing-byte': behind('refused', Buffer.from('x')),
  'trailing-archive': behind('refused', Buffer.concat([rawHeader({ name: './later' }), Buffer.alloc(1024)])),
  'trailing-block': behind('refused', Buffer.alloc(512, 'x')),
  truncated: (members, random) => {
    const packed = packMembers(members)
    const end = packed.length - packMembers([]).length
    return { expected: 'refused', paths: [], archive: packed.subarray(0, random.below(Math.max(1, end))) }
  },
  'padding-byte': (members, random) => {
    const member = random.pick(members.filter((one) => one.content.length % 512 !== 0))
    if (member === undefined) return undefined
    const archive = splice(members, member, (packed) => {
      const copy = Buffer.from(packed)
      copy[copy.length - 1] = 1
      return copy
    })
    return { expected: 'refused', paths: [], archive }
  },
}
