import type { Sha256 } from './digest.ts'
import { Failure } from './failure.ts'
import { isSha256 } from './hex-digest.ts'

/** First line of every tree manifest. */
export const TREE_MANIFEST_HEADER = 'bitwitness/tree-manifest/v1'

/** f file, h further name of a file, d directory, l symbolic link, c and b devices, p fifo. */
export type EntryType = 'f' | 'h' | 'd' | 'l' | 'c' | 'b' | 'p'

/**
 * One entry of a tree. Paths and link targets are bytes, written as text by `escapeBytes`: relative to the root, `.` for the root itself.
 * A hard-link group's first name in canonical order is `f`, every other `h` with `link` = that first name and the same content.
 */
export type TreeEntry = {
  readonly path: string
  readonly type: EntryType
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch as decimal text; a fraction only where the archive carries one. */
  readonly mtime: string
  /** Content bytes; 0 unless f or h. */
  readonly size: number
  readonly sha256: Sha256 | null
  /** Target of l, leader of h. */
  readonly link: string | null
  /** `major:minor` of c and b. */
  readonly device: string | null
  /** Names as `escapeBytes` writes them, values in lower-case hex, sorted by name. */
  readonly xattrs: readonly (readonly [name: string, hexValue: string])[]
}

/** One line, no newline: tab-separated, `-` for what an entry does not have. The path comes last. */
export function encodeEntry(entry: TreeEntry): string {
  const xattrs =
    entry.xattrs.length === 0
      ? '-'
      : entry.xattrs.map(([name, value]) => `${name.replaceAll(',', '\\x2c').replaceAll('=', '\\x3d')}=${value}`).join(',')
  const mode = entry.mode.toString(8).padStart(4, '0')
  return `${entry.type}\t${mode}\t${entry.uid}\t${entry.gid}\t${entry.mtime}\t${entry.size}\t${entry.sha256 ?? '-'}\t${entry.device ?? '-'}\t${xattrs}\t${entry.link ?? '-'}\t${entry.path}`
}

export function decodeEntry(line: string): TreeEntry {
  const fields = line.split('\t')
  const [type, mode, uid, gid, mtime, size, sha256, device, xattrs, link, path] = fields
  if (fields.length !== 11 || path === undefined || !/^[fhdlcbp]$/.test(type ?? '') || !/^[0-7]{4}$/.test(mode ?? '')) throw malformed()
  if (!/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '') || !/^\d+$/.test(size ?? '') || !/^-?\d+(\.\d+)?$/.test(mtime ?? ''))
    throw malformed()
  if (sha256 === undefined || (sha256 !== '-' && !isSha256(sha256))) throw malformed()
  const entry: TreeEntry = {
    path,
    type: type as EntryType,
    mode: Number.parseInt(mode ?? '', 8),
    uid: Number(uid),
    gid: Number(gid),
    mtime: mtime ?? '',
    size: Number(size),
    sha256: sha256 === '-' ? null : sha256,
    device: device === '-' ? null : (device ?? null),
    // A link target that is a lone dash is written escaped by escapeBytes, so `-` is unambiguous.
    link: link === '-' ? null : (link ?? null),
    xattrs: xattrs === '-' ? [] : (xattrs ?? '').split(',').map(decodeXattr),
  }
  // One entry has one line: leading zeros and numbers that do not fit would make two manifests of one tree.
  if (encodeEntry(entry) !== line) throw malformed()
  return entry
}

function decodeXattr(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1 || !/^([0-9a-f]{2})*$/.test(text.slice(at + 1))) throw malformed()
  // A doubled backslash is a backslash of the name: what follows it is no escape of ours.
  const name = text.slice(0, at).replaceAll(/\\\\|\\x2c|\\x3d/g, (found) => (found === '\\x2c' ? ',' : found === '\\x3d' ? '=' : found))
  return [name, text.slice(at + 1)]
}

function malformed(): Failure {
  return new Failure({
    code: 'tree-manifest-malformed',
    message: 'a line of the tree manifest cannot be read',
    hint: `make the manifest again; its first line must be ${TREE_MANIFEST_HEADER}`,
  })
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Bytes as printable text, one to one: valid UTF-8 stays, except that the backslash is doubled and control characters, bidi controls
 * and a lone `-` are written `\xNN` byte by byte, as is every byte of text that is not UTF-8.
 */
export function escapeBytes(bytes: Uint8Array): string {
  return escapeLatin1(latin1(bytes), bytes)
}

/** The same for bytes as text, one character a byte; `bytes` where they are at hand. */
export function escapeLatin1(plain: string, bytes?: Uint8Array): string {
  if (plain !== '-' && PLAIN.test(plain)) return plain
  return escapeOdd(bytes ?? Uint8Array.from(plain, (character) => character.charCodeAt(0)))
}

function escapeOdd(bytes: Uint8Array): string {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f && byte !== 0x5c ? String.fromCharCode(byte) : hex(byte))).join('')
  }
  if (text === '-') return hex(0x2d)
  let escaped = ''
  for (const character of text) {
    if (character === '\\') escaped += '\\\\'
    else if (UNSAFE.test(character)) for (const byte of encoder.encode(character)) escaped += hex(byte)
    else escaped += character
  }
  return escaped
}

export function unescapeBytes(text: string): Uint8Array {
  const parts: number[] = []
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '\\') {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0)
      for (const byte of encoder.encode(character)) parts.push(byte)
      at += character.length
    } else if (text[at + 1] === '\\') {
      parts.push(0x5c)
      at += 2
    } else if (/^\\x[0-9a-f]{2}$/.test(text.slice(at, at + 4))) {
      parts.push(Number.parseInt(text.slice(at + 2, at + 4), 16))
      at += 4
    } else throw malformed()
  }
  return Uint8Array.from(parts)
}

const encoder = new TextEncoder()
const PLAIN = /^[\x20-\x5b\x5d-\x7e]+$/
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[])
}
