import type { TarFailureCode } from './failures.ts'
import type { Header } from './header.ts'
import type { TarLimits } from './limits.ts'
import type { NamedEntry, TarEntry, TarMemberType } from './member.ts'
import { normalPath } from './path.ts'
import type { PaxRecords } from './pax.ts'
import { placeholderFits } from './sparse.ts'

/** What extended headers say about the member after them. */
export type Extensions = { readonly pax: PaxRecords | null; readonly longName: string | null; readonly longLink: string | null }

export type Assembled = {
  readonly entry: NamedEntry
  /** Bytes in the archive, a sparse map included. */
  readonly archived: number
  /** Full size of a file that is stored sparse, else null. */
  readonly realSize: number | null
  /** Empty where the header gives numbers only. */
  readonly owners: { readonly user: string; readonly group: string }
}

type Parts = {
  readonly header: Header
  readonly extensions: Extensions
  readonly limits: TarLimits
  readonly fail: (code: TarFailureCode, name?: string) => Error
}

const TYPES: Readonly<Record<string, TarMemberType>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
}

const FORMAT_BITS: Readonly<Record<TarMemberType, number>> = {
  file: 0o100000,
  hardlink: 0o100000,
  symlink: 0o120000,
  character: 0o020000,
  block: 0o060000,
  directory: 0o040000,
  fifo: 0o010000,
}

/** One entry from a header and its extensions; throws where they contradict each other or carry what an entry has no room for. */
export function assembleMember(parts: Parts): Assembled {
  const { header, extensions, limits, fail } = parts
  if (header.type === 'S') throw fail('tar-sparse-unsupported')
  const type = Object.hasOwn(TYPES, header.type) ? TYPES[header.type] : undefined
  if (type === undefined) throw fail('tar-type-unknown')
  const pax = extensions.pax?.values ?? new Map<string, string>()
  if ((extensions.longName !== null && pax.has('path')) || (extensions.longLink !== null && pax.has('linkpath')))
    throw fail('tar-pax-key-duplicate')
  const archived = number(pax.get('size'), header.size, fail)
  const realSize = sparseSize(pax, type, fail)
  if (realSize !== null && limits.holes === 'refused') throw fail('tar-sparse-unsupported')
  const written = pax.get('path') ?? extensions.longName ?? header.name
  const sparseName = pax.get('GNU.sparse.name')
  if (sparseName !== undefined && !placeholderFits(written, sparseName)) throw fail('tar-sparse-malformed')
  const name = normalPath(sparseName ?? written, { directory: type === 'directory', maxLength: limits.maxPathLength })
  if (name === undefined) throw fail('tar-path-not-normal', sparseName ?? written)
  const linkName = linkOf({ ...parts, type, name, written: pax.get('linkpath') ?? extensions.longLink ?? header.linkName })
  if (type !== 'file' && archived !== 0) throw fail('tar-hidden-bytes', name)
  const isDevice = type === 'character' || type === 'block'
  if (!isDevice && (header.major !== 0 || header.minor !== 0)) throw fail('tar-hidden-bytes', name)
  const uid = owner(pax.get('uid'), header.uid, fail)
  const gid = owner(pax.get('gid'), header.gid, fail)
  const entry: NamedEntry = {
    name,
    type,
    mode: modeOf(header, type, fail),
    uid,
    gid,
    mtime: timeOf(pax.get('mtime'), header.mtime, fail),
    size: realSize ?? archived,
    linkName,
    device: isDevice ? deviceOf(header, fail) : null,
    xattrs: extensions.pax?.xattrs ?? NO_XATTRS,
  }
  const owners = { user: pax.get('uname') ?? header.userName, group: pax.get('gname') ?? header.groupName }
  return { entry, archived, realSize, owners }
}

type Fail = Parts['fail']

/** One for all: most members have none, and an index may keep a million. */
const NO_XATTRS: TarEntry['xattrs'] = []

/** Null unless the file is stored in GNU sparse format 1.0; every other one is refused. */
function sparseSize(pax: ReadonlyMap<string, string>, type: TarMemberType, fail: Fail): number | null {
  const keys = ['GNU.sparse.major', 'GNU.sparse.minor', 'GNU.sparse.name', 'GNU.sparse.realsize']
  if (keys.every((key) => !pax.has(key))) return null
  if (type !== 'file' || pax.get('GNU.sparse.major') !== '1' || pax.get('GNU.sparse.minor') !== '0' || !pax.has('GNU.sparse.name'))
    throw fail('tar-sparse-unsupported')
  const size = pax.get('GNU.sparse.realsize')
  if (size === undefined) throw fail('tar-sparse-unsupported')
  return number(size, 0, fail)
}

function linkOf(o: Parts & { type: TarMemberType; name: string; written: string }): string | null {
  const { type, name, written, limits, fail } = o
  if (type !== 'symlink' && type !== 'hardlink') {
    if (written !== '') throw fail('tar-hidden-bytes', name)
    return null
  }
  if (written === '' || written.includes('\0') || written.length > limits.maxPathLength) throw fail('tar-link-malformed', name)
  if (type === 'symlink') return written
  const target = normalPath(written, { directory: false, maxLength: limits.maxPathLength })
  if (target === undefined) throw fail('tar-link-malformed', name)
  return target
}

/** Some writers put the file's type above the permission bits: allowed where it says the same as the member's type. */
function modeOf(header: Header, type: TarMemberType, fail: Fail): number {
  const above = header.mode - (header.mode & 0o7777)
  if (above !== 0 && above !== FORMAT_BITS[type]) throw fail('tar-number-malformed')
  return header.mode & 0o7777
}

function number(text: string | undefined, otherwise: number, fail: Fail): number {
  if (text === undefined) return count(otherwise, fail)
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) throw fail('tar-pax-malformed')
  return count(Number(text), fail)
}

function count(value: number, fail: Fail): number {
  if (value < 0 || !Number.isSafeInteger(value)) throw fail('tar-number-malformed')
  return value
}

/** Both numbers fit the seven octal digits that a header has for each, as all of Linux's do. */
function deviceOf({ major, minor }: Header, fail: Fail): string {
  if (Math.min(major, minor) < 0 || Math.max(major, minor) > 0o7777777) throw fail('tar-number-malformed')
  return `${major}:${minor}`
}

function owner(text: string | undefined, otherwise: number, fail: Fail): number {
  const id = number(text, otherwise, fail)
  if (id > 0xffff_ffff) throw fail('tar-number-malformed')
  return id
}

function timeOf(text: string | undefined, otherwise: number, fail: Fail): string {
  if (text === undefined) return String(otherwise)
  const match = /^(-?(?:0|[1-9][0-9]{0,14}))(?:\.([0-9]{1,9}))?$/.exec(text)
  if (match === null) throw fail('tar-pax-malformed')
  const fraction = (match[2] ?? '').replace(/0+$/, '')
  const seconds = match[1] ?? ''
  if (fraction !== '') return `${seconds}.${fraction}`
  return seconds === '-0' ? '0' : seconds
}
