import type { Transformation } from '../../model/comparison.ts'
import type { TarEntry } from '../../tar/member.ts'
import { HEADER_GAMES } from './header-games.ts'
import { type Member, partsOf } from './members.ts'
import type { Parts } from './parts.ts'
import { Random } from './random.ts'

/** `equal`: content-equal by order or encoding alone; `different`: another tree; `refused`: canonical form would hide it. */
export type Expected = 'equal' | 'different' | 'refused'

export type Mutation = {
  readonly kind: string
  readonly expected: Expected
  /** Paths (one character a byte) that the tree manifests must name; empty where the tree is the same or there is none. */
  readonly paths: readonly string[]
  /** Of an equal tree, what has to be undone; empty otherwise. */
  readonly undone: readonly Transformation[]
  readonly archive: Parts
}

/** What one rule makes of an archive; undefined where the archive has nothing that it could change. */
export type Mutator = (members: readonly Member[], random: Random) => Omit<Mutation, 'kind'> | undefined

export function pathOf(member: Member): string {
  return Buffer.from(member.entry.path).toString('latin1')
}

function rewrite(members: readonly Member[], old: Member, fresh: Member | null): Omit<Mutation, 'kind'> {
  const list = members.flatMap((member) => (member === old ? (fresh === null ? [] : [fresh]) : [member]))
  return {
    expected: 'different',
    paths: [...new Set([pathOf(old), ...(fresh === null ? [] : [pathOf(fresh)])])],
    undone: [],
    archive: partsOf(list),
  }
}

/** Leaves hard-link groups alone: one name cannot be changed without the others. */
function alone(members: readonly Member[], fits: (entry: TarEntry) => boolean): Member[] {
  const linked = new Set(members.flatMap(({ entry }) => (entry.type === 'hardlink' ? [String(entry.linkPath)] : [])))
  return members.filter(({ entry }) => entry.type !== 'hardlink' && !linked.has(String(entry.path)) && fits(entry))
}

function field(change: (entry: TarEntry, random: Random) => Partial<TarEntry>, fits: (entry: TarEntry) => boolean = () => true): Mutator {
  return (members, random) => {
    const member = random.pick(alone(members, fits))
    return member === undefined
      ? undefined
      : rewrite(members, member, { ...member, entry: { ...member.entry, ...change(member.entry, random) } })
  }
}

const isFile = (entry: TarEntry): boolean => entry.type === 'file'
const isLeaf = (entry: TarEntry): boolean => entry.type !== 'directory'

/** One change to one tree. */
const TREE: Readonly<Record<string, Mutator>> = {
  'content-byte': (members, random) => {
    const member = random.pick(alone(members, (entry) => isFile(entry) && entry.size > 0))
    if (member === undefined) return undefined
    const content = Buffer.from(member.content)
    const at = random.below(content.length)
    content[at] = (content[at] ?? 0) ^ (1 << random.below(8))
    return rewrite(members, member, { ...member, content })
  },
  'content-longer': (members, random) => {
    const member = random.pick(alone(members, isFile))
    if (member === undefined) return undefined
    const content = Buffer.concat([member.content, Buffer.from([random.below(256)])])
    return rewrite(members, member, { entry: { ...member.entry, size: content.length }, content })
  },
  'content-shorter': (members, random) => {
    const member = random.pick(alone(members, (entry) => isFile(entry) && entry.size > 0))
    if (member === undefined) return undefined
    const content = member.content.subarray(0, -1)
    return rewrite(members, member, { entry: { ...member.entry, size: content.length }, content })
  },
  mode: field((entry, random) => ({ mode: entry.mode ^ (1 << random.below(12)) })),
  user: field((entry, random) => ({ uid: entry.uid + 1 + random.below(70000) })),
  group: field((entry, random) => ({ gid: entry.gid + 1 + random.below(70000) })),
  'mtime-second': field((entry, random) => ({ mtime: String(Number.parseInt(entry.mtime, 10) + 1 + random.below(99)) })),
  'mtime-fraction': field((entry) => ({ mtime: `${Number.parseInt(entry.mtime, 10)}.5` })),
  'xattr-added': field((entry, random) => ({ xattrs: [...entry.xattrs, [`user.x${random.below(99)}`, '00']] })),
  'capability-added': field(() => ({ xattrs: [['security.capability', '0100000200200000000000000000000000000000']] }), isFile),
  'acl-added': field(() => ({ xattrs: [['SCHILY.acl.access', Buffer.from('user::rw-\n').toString('hex')]] })),
  'symlink-target': field(
    (entry, random) => ({ linkPath: Buffer.from(`${String(entry.linkPath)}${random.below(10)}`) }),
    (e) => e.type === 'symlink',
  ),
  'file-to-symlink': (members, random) => {
    const member = random.pick(alone(members, isFile))
    if (member === undefined) return undefined
    const entry: TarEntry = { ...member.entry, type: 'symlink', size: 0, linkPath: Buffer.from('target') }
    return rewrite(members, member, { entry, content: new Uint8Array() })
  },
  'leaf-to-fifo': (members, random) => {
    const member = random.pick(alone(members, (entry) => isLeaf(entry) && entry.type !== 'fifo'))
    if (member === undefined) return undefined
    const entry: TarEntry = { ...member.entry, type: 'fifo', size: 0, linkPath: null, device: null }
    return rewrite(members, member, { entry, content: new Uint8Array() })
  },
  'leaf-to-device': (members, random) => {
    const member = random.pick(alone(members, (entry) => isLeaf(entry) && entry.device === null))
    if (member === undefined) return undefined
    const entry: TarEntry = { ...member.entry, type: 'character', size: 0, linkPath: null, device: `1:${random.below(20)}` }
    return rewrite(members, member, { entry, content: new Uint8Array() })
  },
  'device-number': field(
    (entry) => ({ device: `${entry.device ?? ''}1` }),
    (entry) => entry.device !== null,
  ),
  rename: field((entry, random) => ({ path: Buffer.concat([entry.path, Buffer.from(`~${random.below(1000)}`)]) }), isLeaf),
  removed: (members, random) => {
    const member = random.pick(alone(members, isLeaf))
    return member === undefined ? undefined : rewrite(members, member, null)
  },
  added: (members, random) => {
    const path = `added-${random.below(100000)}`
    const owner = { uid: 0, gid: 0, mtime: '0' }
    const entry: TarEntry = {
      path: Buffer.from(path),
      type: 'file',
      mode: 0o644,
      ...owner,
      size: 0,
      linkPath: null,
      device: null,
      xattrs: [],
    }
    const list = [...members]
    list.splice(1 + random.below(members.length), 0, { entry, content: new Uint8Array() })
    return { expected: 'different', paths: [path], undone: [], archive: partsOf(list) }
  },
  'hard-link-broken': (members, random) => {
    const link = random.pick(members.filter(({ entry }) => entry.type === 'hardlink'))
    const leader = members.find(({ entry }) => String(entry.path) === String(link?.entry.linkPath))
    if (link === undefined || leader === undefined) return undefined
    const copy = { entry: { ...leader.entry, path: link.entry.path }, content: leader.content }
    const list = members.map((member) => (member === link ? copy : member))
    return { expected: 'different', paths: [pathOf(link)], undone: [], archive: partsOf(list) }
  },
  'hard-link-made': (members, random) => {
    const [one, two] = [random.pick(alone(members, isFile)), random.pick(alone(members, isFile))]
    if (one === undefined || two === undefined || members.indexOf(one) >= members.indexOf(two)) return undefined
    const entry: TarEntry = { ...one.entry, path: two.entry.path, type: 'hardlink', size: 0, linkPath: one.entry.path, xattrs: [] }
    const list = members.map((member) => (member === two ? { entry, content: new Uint8Array() } : member))
    return { expected: 'different', paths: [pathOf(two)], undone: [], archive: partsOf(list) }
  },
  'member-twice': (members, random) => {
    const member = random.pick(members)
    return member === undefined ? undefined : { expected: 'refused', paths: [], undone: [], archive: partsOf([...members, member]) }
  },
  'member-overridden': (members, random) => {
    const member = random.pick(members.filter(({ entry }) => isFile(entry)))
    if (member === undefined) return undefined
    const other = { ...member, entry: { ...member.entry, mode: member.entry.mode ^ 0o111 } }
    return { expected: 'refused', paths: [], undone: [], archive: partsOf([...members, other]) }
  },
  'below-a-file': (members, random) => {
    const member = random.pick(members.filter(({ entry }) => isLeaf(entry)))
    if (member === undefined) return undefined
    const entry: TarEntry = {
      ...member.entry,
      type: 'fifo',
      size: 0,
      linkPath: null,
      device: null,
      path: Buffer.concat([member.entry.path, Buffer.from('/x')]),
    }
    return { expected: 'refused', paths: [], undone: [], archive: partsOf([...members, { entry, content: new Uint8Array() }]) }
  },
  'member-order': (members, random) => {
    const member = random.pick(alone(members, () => true))
    if (member === undefined) return undefined
    const rest = members.filter((other) => other !== member)
    const at = (members.indexOf(member) + 1 + random.below(members.length - 1)) % members.length
    return {
      expected: 'equal',
      paths: [],
      undone: ['tar-member-order'],
      archive: partsOf([...rest.slice(0, at), member, ...rest.slice(at)]),
    }
  },
  'hard-link-leader': (members, random) => {
    const link = random.pick(members.filter(({ entry }) => entry.type === 'hardlink'))
    const leader = members.find(({ entry }) => String(entry.path) === String(link?.entry.linkPath))
    if (link === undefined || leader === undefined) return undefined
    const list = members.map((member) => {
      if (member === leader) return { ...leader, entry: { ...leader.entry, path: link.entry.path } }
      if (member === link) return { ...link, entry: { ...link.entry, path: leader.entry.path, linkPath: link.entry.path } }
      if (member.entry.type !== 'hardlink' || String(member.entry.linkPath) !== String(leader.entry.path)) return member
      return { ...member, entry: { ...member.entry, linkPath: link.entry.path } }
    })
    return { expected: 'equal', paths: [], undone: ['tar-member-order', 'hard-link-leader'], archive: partsOf(list) }
  },
}

const RULES = Object.entries({ ...TREE, ...HEADER_GAMES })

/** Kinds of mutation, for reports of what a corpus covered. */
export const MUTATION_KINDS: readonly string[] = RULES.map(([kind]) => kind)

/**
 * The mutation that belongs to a seed: a single change to an archive (its members in canonical order), with what a comparison must say
 * of it. Consecutive seeds go through all kinds in turn; a kind that the archive has nothing for gives undefined.
 */
export function mutate(members: readonly Member[], seed: number): Mutation | undefined {
  const [kind, rule] = RULES[seed % RULES.length] ?? []
  const made = rule?.(members, new Random(seed))
  return made === undefined || kind === undefined ? undefined : { kind, ...made }
}
