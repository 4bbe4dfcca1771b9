import { escapeBytes } from '../model/tree-manifest.ts'
import { latin1 } from './bytes.ts'
import { tarFailure } from './failures.ts'
import type { TarLimits } from './limits.ts'

const KEYS = new Set([
  'path',
  'linkpath',
  'size',
  'uid',
  'gid',
  'uname',
  'gname',
  'mtime',
  'GNU.sparse.major',
  'GNU.sparse.minor',
  'GNU.sparse.name',
  'GNU.sparse.realsize',
])

/** Records that GNU tar writes as text for --acls and --selinux; they are no attributes, but they are part of the tree. */
export const ATTRIBUTE_KEYS: readonly string[] = ['SCHILY.acl.access', 'SCHILY.acl.default', 'RHT.security.selinux']
const XATTR = 'SCHILY.xattr.'
/** `%` and `=` are left out: GNU tar writes them escaped, others do not. Backslash and comma have a meaning in tree manifests. */
const XATTR_NAME = /^(?:user|trusted|security|system)\.[\x21-\x24\x26-\x3c\x3e-\x5b\x5d-\x7e]{1,250}$/

export type PaxRecords = {
  /** Value one character a byte. */
  readonly values: ReadonlyMap<string, string>
  /** Sorted by name. */
  readonly xattrs: readonly (readonly [name: string, hexValue: string])[]
}

/** Reads the records of an extended header (`LENGTH KEY=VALUE\n`, POSIX pax); a key may stand only once and must be known. */
export function decodePax(bytes: Uint8Array, offset: number, limits: TarLimits): PaxRecords {
  const values = new Map<string, string>()
  const xattrs: [string, string][] = []
  for (const [key, value] of records(bytes, offset)) {
    if (limits.ignoredPaxKeys.includes(key)) continue
    if (values.has(key)) throw tarFailure('tar-pax-key-duplicate', { offset })
    values.set(key, value)
    const xattr = xattrName(key, offset)
    if (xattr !== undefined) xattrs.push([xattr, Buffer.from(value, 'latin1').toString('hex')])
    else if (!KEYS.has(key)) throw unknownKey(key, offset)
    else if (value === '' || value.includes('\0')) throw tarFailure('tar-pax-malformed', { offset })
  }
  xattrs.sort(([a], [b]) => (a < b ? -1 : 1))
  return { values, xattrs }
}

/** A global header speaks of all members that follow: only what the caller drops anyway may stand there. */
export function checkGlobalPax(bytes: Uint8Array, offset: number, limits: TarLimits): void {
  for (const [key] of records(bytes, offset)) if (!limits.ignoredPaxKeys.includes(key)) throw unknownKey(key, offset)
}

function unknownKey(key: string, offset: number): Error {
  return tarFailure('tar-pax-key-unknown', { offset, path: escapeBytes(Buffer.from(key.slice(0, 100), 'latin1')) })
}

function* records(bytes: Uint8Array, offset: number): Generator<[key: string, value: string]> {
  const text = latin1(bytes)
  for (let at = 0; at < text.length; ) {
    const digits = /^[1-9][0-9]{0,9} /.exec(text.slice(at, at + 11))?.[0]
    const end = at + Number(digits ?? Number.NaN)
    const equals = text.indexOf('=', at)
    const start = at + (digits?.length ?? 0)
    if (digits === undefined || end > text.length || text[end - 1] !== '\n' || equals <= start || equals >= end)
      throw tarFailure('tar-pax-malformed', { offset })
    yield [text.slice(start, equals), text.slice(equals + 1, end - 1)]
    at = end
  }
}

function xattrName(key: string, offset: number): string | undefined {
  if (ATTRIBUTE_KEYS.includes(key)) return key
  if (!key.startsWith(XATTR)) return undefined
  const name = key.slice(XATTR.length)
  if (!XATTR_NAME.test(name)) throw tarFailure('tar-xattr-name', { offset })
  return name
}

/** The key under which an attribute of that name is written. */
export function paxKeyOf(attribute: string): string {
  return ATTRIBUTE_KEYS.includes(attribute) ? attribute : `${XATTR}${attribute}`
}
