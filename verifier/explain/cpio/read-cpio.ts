import { createHash } from 'node:crypto'
import { Sha256 } from '../../model/digest.ts'
import { sha256Of } from '../../model/hex-digest.ts'
import { type EntryType, escapeBytes, type TreeEntry } from '../../model/tree-manifest.ts'
import { fromLatin1, latin1 } from '../../tar/bytes.ts'
import { normalPath, sortKey } from '../../tar/path.ts'
import { type ByteView, viewPart } from '../byte-view.ts'

export type CpioEntry = { readonly key: string; readonly raw: string; readonly entry: TreeEntry; readonly content: ByteView | null }

/** Of one archive: all entries are held at once, some two kilobytes each, and a kernel's largest initrd has a tenth of these. */
const MAX_ENTRIES = 200_000
/** Characters of all names and links together, each of which is held some four times. */
const MAX_TEXT = 32 * 1024 ** 2
const MAX_NAME = 4096
const MAX_LINK = 4096
const HEADER = 110
const CHUNK = 1024 * 1024
const TRAILER = 'TRAILER!!!'

const TYPES: ReadonlyMap<number, EntryType> = new Map([
  [0o100000, 'f'],
  [0o040000, 'd'],
  [0o120000, 'l'],
  [0o020000, 'c'],
  [0o060000, 'b'],
  [0o010000, 'p'],
])

type Header = { readonly fields: readonly number[]; readonly raw: string; readonly data: ByteView; readonly next: number }

/**
 * Entries of a cpio archive in the "new ASCII" format (cpio(5), magic 070701 or 070702) in canonical order; null where it is none, or
 * is one that a tree cannot be made of: damaged, with bytes behind its end, with paths twice or not normal.
 */
export async function readCpio(view: ByteView, signal?: AbortSignal): Promise<CpioEntry[] | null> {
  const found: CpioEntry[] = []
  const links = new Map<string, CpioEntry[]>()
  let text = MAX_TEXT
  for (let at = 0; ; ) {
    signal?.throwIfAborted()
    const header = await readHeader(view, at)
    if (header === null || found.length === MAX_ENTRIES) return null
    if (header.raw === TRAILER) return (await onlyZeros(view, header.next)) ? ordered(found, links) : null
    const entry = await entryOf(header)
    text -= header.raw.length + (entry?.entry.link?.length ?? 0)
    if (entry === null || text < 0) return null
    found.push(entry)
    const [inode = 0, , , , count = 0, , , major = 0, minor = 0] = header.fields
    if (entry.entry.type === 'f' && count > 1) {
      const id = `${major}:${minor}:${inode}`
      const names = links.get(id)
      if (names === undefined) links.set(id, [entry])
      else names.push(entry)
    }
    at = header.next
  }
}

async function readHeader(view: ByteView, at: number): Promise<Header | null> {
  const bytes = await view.read(at, HEADER + MAX_NAME)
  const text = latin1(bytes.subarray(0, HEADER))
  if (!/^07070[12][0-9A-Fa-f]{104}$/.test(text)) return null
  const fields = Array.from({ length: 13 }, (_, index) => Number.parseInt(text.slice(6 + index * 8, 14 + index * 8), 16))
  const [size = 0, nameSize = 0] = [fields[6], fields[11]]
  const name = bytes.subarray(HEADER, HEADER + nameSize)
  if (nameSize < 2 || nameSize > MAX_NAME || name.length < nameSize || name.indexOf(0) !== nameSize - 1) return null
  const data = at + four(HEADER + nameSize)
  if (data + size > view.size) return null
  return { fields, raw: latin1(name.subarray(0, -1)), data: viewPart(view, data, size), next: data + four(size) }
}

function four(size: number): number {
  return size + ((4 - (size % 4)) % 4)
}

async function entryOf({ fields, raw: written, data }: Header): Promise<CpioEntry | null> {
  const [, mode = 0, uid = 0, gid = 0, , mtime = 0, , , , major = 0, minor = 0] = fields
  const type = TYPES.get(mode & 0o170000)
  const raw = normalPath(written, { directory: type === 'd', maxLength: MAX_NAME })
  if (type === undefined || raw === undefined) return null
  if ((type !== 'f' && type !== 'l' && data.size > 0) || (type === 'l' && data.size > MAX_LINK)) return null
  const entry: TreeEntry = {
    path: escapeBytes(fromLatin1(raw)),
    type,
    mode: mode & 0o7777,
    uid,
    gid,
    mtime: String(mtime),
    size: type === 'f' ? data.size : 0,
    sha256: type === 'f' ? await digest(data) : null,
    link: type === 'l' ? escapeBytes(await data.read(0, data.size)) : null,
    device: type === 'c' || type === 'b' ? `${major}:${minor}` : null,
    xattrs: [],
  }
  return { key: sortKey(raw), raw, entry, content: type === 'f' ? data : null }
}

async function digest(view: ByteView): Promise<Sha256> {
  const hash = createHash('sha256')
  for (let at = 0; at < view.size; at += CHUNK) hash.update(await view.read(at, CHUNK))
  return sha256Of(hash)
}

async function onlyZeros(view: ByteView, from: number): Promise<boolean> {
  for (let at = from; at < view.size; at += CHUNK) if ((await view.read(at, CHUNK)).some((byte) => byte !== 0)) return false
  return true
}

/** Sorts, and gives every name of a hard-linked file the content that cpio keeps with one of them; null where a path is there twice. */
function ordered(found: readonly CpioEntry[], links: ReadonlyMap<string, readonly CpioEntry[]>): CpioEntry[] | null {
  const groups = new Map<CpioEntry, { leader: CpioEntry; holder: CpioEntry }>()
  for (const names of links.values()) {
    const leader = names.toSorted((a, b) => (a.key < b.key ? -1 : 1))[0]
    const holder = names.find(({ entry }) => entry.size > 0) ?? leader
    if (leader !== undefined && holder !== undefined) for (const name of names) groups.set(name, { leader, holder })
  }
  const linked = found.map((one): CpioEntry => {
    const group = groups.get(one)
    if (group === undefined) return one
    const { size, sha256 } = group.holder.entry
    const link = group.leader === one ? null : group.leader.entry.path
    return { ...one, content: group.holder.content, entry: { ...one.entry, type: link === null ? 'f' : 'h', size, sha256, link } }
  })
  const sorted = linked.toSorted((a, b) => (a.key < b.key ? -1 : 1))
  return sorted.some((one, index) => one.key === sorted[index + 1]?.key) ? null : sorted
}
