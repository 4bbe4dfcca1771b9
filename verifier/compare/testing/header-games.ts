import { encodeTarHeader } from '../../tar/encode.ts'
import { rawHeader, rawMember, rawPax, rawTar } from '../../tar/testing/raw-tar.ts'
import { ended, type Member, packMember, partsOf } from './members.ts'
import type { Expected, Mutation, Mutator } from './mutations.ts'
import { type Parts, sizeOf } from './parts.ts'
import type { Random } from './random.ts'

/** The archive with the headers and content of one member replaced by other bytes. */
function splice(members: readonly Member[], at: Member, bytes: (packed: Buffer) => Parts): Parts {
  const index = members.indexOf(at)
  const replaced = bytes(Buffer.concat(packMember(at)))
  return ended([...members.slice(0, index).flatMap(packMember), ...replaced, ...members.slice(index + 1).flatMap(packMember)])
}

/** A file whose header has none before it. Its name leaves room behind it. */
function pickPlain(members: readonly Member[], random: Random): Member | undefined {
  return random.pick(
    members.filter(({ entry }) => entry.type === 'file' && entry.path.length < 90 && encodeTarHeader(entry).length === 512),
  )
}

function game(expected: Expected, archive: Parts): Omit<Mutation, 'kind'> {
  return { expected, paths: [], undone: expected === 'equal' ? ['tar-encoding'] : [], archive }
}

/** A change to one header that has no extended header yet, its checksum made right again. */
function patch(expected: Expected, change: (header: Buffer) => void): Mutator {
  return (members, random) => {
    const member = pickPlain(members, random)
    if (member === undefined) return undefined
    const archive = splice(members, member, (packed) => {
      const copy = Buffer.from(packed)
      change(copy)
      copy.fill(' ', 148, 156)
      const sum = copy.subarray(0, 512).reduce((total, byte) => total + byte, 0)
      copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
      return [copy]
    })
    return game(expected, archive)
  }
}

/** Extended headers put before a member that has none. */
function before(expected: Expected, extra: (name: string) => Uint8Array): Mutator {
  return (members, random) => {
    const member = pickPlain(members, random)
    if (member === undefined) return undefined
    const name = `./${Buffer.from(member.entry.path).toString('latin1')}`
    // The member itself stays where it lies in memory.
    return game(
      expected,
      splice(members, member, () => [extra(name), ...packMember(member)]),
    )
  }
}

function behind(expected: Expected, tail: (random: Random) => Uint8Array): Mutator {
  return (members, random) => game(expected, [...partsOf(members), tail(random)])
}

function cut(parts: Parts, size: number): Parts {
  let left = size
  return parts.map((part) => {
    const kept = part.subarray(0, left)
    left -= kept.length
    return kept
  })
}

/** Changes to how a tree is written: harmless ones, and those that carry or mean something more. */
export const HEADER_GAMES: Readonly<Record<string, Mutator>> = {
  'encoding-pax-path': before('equal', (name) => rawPax([['path', name]])),
  'encoding-long-name': before('equal', (name) => rawMember({ name: '././@LongLink', type: 'L', magic: 'ustar  \0' }, `${name}\0`)),
  'encoding-gnu': patch('equal', (header) => void header.write('ustar  \0', 257, 'latin1')),
  'encoding-type-nul': patch('equal', (header) => void header.write('\0', 156, 'latin1')),
  'encoding-mode-bits': patch('equal', (header) => void header.write('01', 100, 'latin1')),
  'encoding-zero-device': patch('equal', (header) => void header.write('0000000\x000000000', 329, 'latin1')),
  'end-padding': behind('equal', (random) => Buffer.alloc(512 * (1 + random.below(40)))),
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
  'trailing-byte': behind('refused', (random) => Buffer.alloc(1 + random.below(511), 1 + random.below(255))),
  'trailing-archive': behind('refused', (random) => rawTar(rawHeader({ name: `./later-${random.below(1000)}` }))),
  'trailing-block': behind('refused', (random) => Buffer.alloc(512, 1 + random.below(255))),
  truncated: (members, random) => {
    const stored = members.flatMap(packMember)
    return game('refused', cut(stored, random.below(Math.max(1, sizeOf(stored)))))
  },
  'padding-byte': (members, random) => {
    const member = random.pick(members.filter((one) => one.content.length % 512 !== 0))
    if (member === undefined) return undefined
    const archive = splice(members, member, (packed) => {
      const copy = Buffer.from(packed)
      copy[copy.length - 1] = 1
      return [copy]
    })
    return game('refused', archive)
  },
}
