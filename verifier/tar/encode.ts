import { BLOCK, latin1, paddingAfter, RECORD } from './bytes.ts'
import { checksum } from './header.ts'
import type { NamedEntry, TarEntry, TarMemberType } from './member.ts'
import { ATTRIBUTE_KEYS, paxKeyOf } from './pax.ts'

const TYPE_FLAGS: Readonly<Record<TarMemberType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

const MAX_ID = 0o7777777
const MAX_SIZE = 0o77777777777
const MAX_NAME = 100

/**
 * The one fixed encoding of an entry: the bytes that GNU tar 1.35 writes for it with `--format=pax --numeric-owner --acls --selinux
 * --xattrs --pax-option=delete=atime,delete=ctime` and without `--sparse`, so that a canonical tar can be made, and checked, with
 * nothing of ours. Attributes go by name, where GNU tar keeps the file system's order. Content and padding follow after.
 */
export function encodeTarHeader({ path, linkPath, ...entry }: TarEntry): Uint8Array {
  return encodeNamedHeader({ ...entry, name: latin1(path), linkName: linkPath === null ? null : latin1(linkPath) })
}

/** The same; the result lies in `scratch` where that is given and large enough: then it is valid until the next call. */
export function encodeNamedHeader(entry: NamedEntry, scratch?: Buffer): Uint8Array {
  const name = writtenName(entry)
  const link = entry.linkName === null ? '' : entry.type === 'hardlink' ? `./${entry.linkName}` : entry.linkName
  const [whole, fraction] = entry.mtime.split('.')
  const seconds = Number(whole)
  const pax: [key: string, value: string][] = []
  if (link.length > MAX_NAME) pax.push(['linkpath', link])
  if (name.length > MAX_NAME || /[\x80-\xff]/.test(name)) pax.push(['path', name])
  if (entry.uid > MAX_ID) pax.push(['uid', String(entry.uid)])
  if (entry.gid > MAX_ID) pax.push(['gid', String(entry.gid)])
  if (entry.size > MAX_SIZE) pax.push(['size', String(entry.size)])
  if (fraction !== undefined || seconds < 0 || seconds > MAX_SIZE) pax.push(['mtime', entry.mtime])
  for (const [attribute, value] of inPaxOrder(entry.xattrs)) pax.push([paxKeyOf(attribute), Buffer.from(value, 'hex').toString('latin1')])
  const records = pax.map(([key, value]) => paxRecord(key, value)).join('')
  const time = seconds >= 0 && seconds <= MAX_SIZE ? seconds : 0
  const extended = records.length === 0 ? 0 : BLOCK + records.length + paddingAfter(records.length)
  const length = extended + BLOCK
  const bytes = scratch !== undefined && length <= scratch.length ? scratch.subarray(0, length).fill(0) : Buffer.alloc(length)
  if (extended > 0) {
    writeHeader(bytes.subarray(0, BLOCK), { name: paxHeaderName(name), mode: 0o644, uid: 0, gid: 0, size: records.length, time, flag: 'x' })
    bytes.write(records, BLOCK, 'latin1')
  }
  const block = bytes.subarray(extended)
  // GNU tar leaves both blank for what is no device, from 1.35 on; before, it wrote zeros.
  const [major, minor] = entry.device?.split(':').map(Number) ?? []
  if (major !== undefined) octal(block, 329, 7, major)
  if (minor !== undefined) octal(block, 337, 7, minor)
  if (link !== '') block.write(link.slice(0, MAX_NAME), 157, 'latin1')
  writeHeader(block, {
    name,
    mode: entry.mode,
    uid: entry.uid > MAX_ID ? 0 : entry.uid,
    gid: entry.gid > MAX_ID ? 0 : entry.gid,
    size: entry.size > MAX_SIZE ? 0 : entry.size,
    time,
    flag: TYPE_FLAGS[entry.type],
  })
  return bytes
}

/** Zeros that end an archive of `size` bytes so far: two blocks, then up to a whole record. */
export function endPadding(size: number): number {
  const marked = size + 2 * BLOCK
  return Math.ceil(marked / RECORD) * RECORD - size
}

type HeaderFields = { name: string; mode: number; uid: number; gid: number; size: number; time: number; flag: string }

function writeHeader(block: Buffer, fields: HeaderFields): void {
  block.write(fields.name.slice(0, MAX_NAME), 0, 'latin1')
  octal(block, 100, 7, fields.mode)
  octal(block, 108, 7, fields.uid)
  octal(block, 116, 7, fields.gid)
  octal(block, 124, 11, fields.size)
  octal(block, 136, 11, fields.time)
  block[156] = fields.flag.charCodeAt(0)
  block.write('ustar\x0000', 257, 'latin1')
  octal(block, 148, 6, checksum(block))
  block[155] = 0x20
}

/** Digits with leading zeros; the NUL behind them is there already. */
function octal(block: Buffer, from: number, digits: number, value: number): void {
  let left = value
  for (let at = from + digits - 1; at >= from; at -= 1) {
    block[at] = 0x30 + (left % 8)
    left = Math.floor(left / 8)
  }
}

function writtenName({ name, type }: NamedEntry): string {
  if (name === '.') return './'
  return type === 'directory' ? `./${name}/` : `./${name}`
}

/** GNU tar's `%d/PaxHeaders/%f`. */
function paxHeaderName(name: string): string {
  if (name === './') return './PaxHeaders/.'
  const path = name.endsWith('/') ? name.slice(0, -1) : name
  const at = path.lastIndexOf('/')
  return `${path.slice(0, at)}/PaxHeaders/${path.slice(at + 1)}`
}

function inPaxOrder(xattrs: TarEntry['xattrs']): TarEntry['xattrs'] {
  return [
    ...ATTRIBUTE_KEYS.flatMap((key) => xattrs.filter(([name]) => name === key)),
    ...xattrs.filter(([name]) => !ATTRIBUTE_KEYS.includes(name)).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}
