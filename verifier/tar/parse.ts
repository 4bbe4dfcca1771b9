import { escapeBytes } from '../model/tree-manifest.ts'
import { type Assembled, assembleMember, type Extensions } from './assemble.ts'
import { BLOCK, fromLatin1, isZero, latin1, paddingAfter } from './bytes.ts'
import { type TarFailureCode, tarFailure } from './failures.ts'
import { decodeHeader, type Header } from './header.ts'
import type { TarLimits } from './limits.ts'
import type { ParsedMember } from './member.ts'
import { NameTable, PER_NAME } from './name-table.ts'
import { OwnerNames } from './owner-names.ts'
import { sortKey } from './path.ts'
import { checkGlobalPax, decodePax } from './pax.ts'
import { SeenPaths } from './seen.ts'
import { checkSparse, readSparseMap } from './sparse.ts'

/**
 * What the parser asks of whoever has the bytes. `need`: hand me the next that many bytes, fewer only where the archive ends.
 * `member`: pass over its `storedSize` bytes of content in whatever way you like, then go on.
 */
export type TarStep = { readonly need: number } | { readonly member: ParsedMember }

/** Zeros after the end marker: GNU tar pads to a record; its largest sensible one. */
const MAX_END_PADDING = 1024 * 1024

/**
 * The one tar parser. It does no input itself, so that a stream and a file are read by the same rules. Handed-in bytes have to stay as
 * they are until it asks for more; what it keeps longer it copies. Returns the archive's size. Sort keys of all paths, and of folders
 * that lie between, go into `keys`.
 */
export function* parseTar(limits: TarLimits, keys: NameTable = new NameTable()): Generator<TarStep, number, Uint8Array> {
  const seen = new SeenPaths(keys)
  const users = new OwnerNames()
  const groups = new OwnerNames()
  let offset = 0
  let entries = 0
  let total = 0
  let described = 0
  for (;;) {
    const start = offset
    const head = yield* readHead(start, limits)
    offset += head.rawHeader.length
    if (head.header === undefined) return yield* readEnd(offset)
    const fail = (code: TarFailureCode, name?: string): Error =>
      tarFailure(code, name === undefined ? { offset: start } : { offset: start, path: escapeBytes(fromLatin1(name)) })
    const assembled = assembleMember({ header: head.header, extensions: head.extensions, limits, fail })
    const { entry, archived, realSize, owners } = assembled
    const { name, linkName } = entry
    let storedSize = archived
    let sparse: ParsedMember['sparse'] = null
    if (realSize !== null) {
      // A sparse file has extended headers: its header is a copy already.
      const map = yield* readSparseMap(start, limits.maxHeaderSize)
      offset += map.mapSize
      storedSize -= map.mapSize
      checkSparse(map.extents, { size: entry.size, storedSize, offset: start })
      sparse = map.extents
    }
    entries += 1
    total += entry.size
    if (entries > limits.maxEntries) throw fail('tar-entries-limit')
    if (Math.max(entry.size, storedSize) > limits.maxFileSize) throw fail('tar-file-size-limit', name)
    if (total > limits.maxTotalSize) throw fail('tar-total-size-limit', name)
    if (limits.ownerNames === 'consistent' && !(users.fits(owners.user, entry.uid) && groups.fits(owners.group, entry.gid)))
      throw fail('tar-owner-name', name)
    const linkIndex = linkName !== null && entry.type === 'hardlink' ? seen.fileAt(sortKey(linkName)) : null
    if (linkIndex === undefined) throw fail('tar-link-target-missing', name)
    const keyNumber = seen.add(sortKey(name), { name, directory: entry.type === 'directory', offset: start, index: entries - 1 })
    described += keptOf(assembled, sparse)
    if (keys.bytes + described > limits.maxIndexSize) throw fail('tar-index-size-limit')
    const { rawHeader } = head
    yield { member: { ...entry, keyNumber, linkIndex, storedSize, sparse, headerOffset: start, dataOffset: offset, rawHeader } }
    offset += storedSize
    const padding = paddingAfter(storedSize)
    if (padding > 0) {
      const bytes = yield { need: padding }
      if (bytes.length < padding) throw fail('tar-truncated', name)
      if (!isZero(bytes)) throw fail('tar-hidden-bytes', name)
      offset += padding
    }
  }
}

/** Bytes that an index keeps of a member beside its path. */
function keptOf({ entry, owners }: Assembled, sparse: ParsedMember['sparse']): number {
  const attributes = entry.xattrs.reduce((sum, [key, value]) => sum + key.length + value.length + PER_NAME, 0)
  const names = (entry.linkName?.length ?? 0) + owners.user.length + owners.group.length
  return names + attributes + (sparse?.length ?? 0) * PER_NAME
}

type Head = { readonly header: Header | undefined; readonly extensions: Extensions; readonly rawHeader: Uint8Array }

/** One member's header with the extended headers before it; `header` is undefined at the first block of the end marker. */
function* readHead(start: number, limits: TarLimits): Generator<{ need: number }, Head, Uint8Array> {
  const block = yield* take(BLOCK, start)
  if (isZero(block)) return { header: undefined, extensions: NONE, rawHeader: block }
  const header = decodeHeader(block, start)
  // By far the most headers have nothing before them: those are not copied.
  if (!EXTENSIONS.has(header.type)) return { header, extensions: NONE, rawHeader: block }
  return yield* readExtended({ first: header, block: Uint8Array.from(block), start, limits })
}

const NONE: Extensions = { pax: null, longName: null, longLink: null }

function* readExtended(o: {
  first: Header
  block: Uint8Array
  start: number
  limits: TarLimits
}): Generator<{ need: number }, Head, Uint8Array> {
  const { start, limits } = o
  const raw = [o.block]
  let at = start + BLOCK
  let extensions = NONE
  for (let header = o.first; ; ) {
    if (header.size < 0 || header.size > limits.maxHeaderSize || at - start > limits.maxHeaderSize * 4)
      throw tarFailure('tar-pax-too-large', { offset: start })
    const padded = Uint8Array.from(yield* take(header.size + paddingAfter(header.size), start))
    if (!isZero(padded.subarray(header.size))) throw tarFailure('tar-hidden-bytes', { offset: start })
    extensions = extend({ extensions, type: header.type, bytes: padded.subarray(0, header.size), offset: start, limits })
    const block = Uint8Array.from(yield* take(BLOCK, start))
    raw.push(padded, block)
    at += padded.length + BLOCK
    if (isZero(block)) throw tarFailure('tar-truncated', { offset: start })
    header = decodeHeader(block, at - BLOCK)
    if (!EXTENSIONS.has(header.type)) return { header, extensions, rawHeader: Buffer.concat(raw) }
  }
}

function* take(length: number, start: number): Generator<{ need: number }, Uint8Array, Uint8Array> {
  const bytes = yield { need: length }
  if (bytes.length < length) throw tarFailure('tar-truncated', { offset: start })
  return bytes
}

/** x and g: POSIX extended headers; L and K: GNU's long name and long link. */
const EXTENSIONS = new Set(['x', 'g', 'L', 'K'])

function extend(o: { extensions: Extensions; type: string; bytes: Uint8Array; offset: number; limits: TarLimits }): Extensions {
  const { extensions, type, bytes, offset, limits } = o
  if (type === 'g') {
    checkGlobalPax(bytes, offset, limits)
    return extensions
  }
  const field = type === 'x' ? 'pax' : type === 'L' ? 'longName' : 'longLink'
  if (extensions[field] !== null) throw tarFailure('tar-pax-key-duplicate', { offset })
  if (field === 'pax') return { ...extensions, pax: decodePax(bytes, offset, limits) }
  // GNU tar ends the name with one NUL.
  const text = latin1(bytes)
  if (text.length < 2 || text.indexOf('\0') !== text.length - 1) throw tarFailure('tar-pax-malformed', { offset })
  return { ...extensions, [field]: text.slice(0, -1) }
}

function* readEnd(start: number): Generator<{ need: number }, number, Uint8Array> {
  const second = yield { need: BLOCK }
  if (second.length < BLOCK) throw tarFailure('tar-truncated', { offset: start })
  if (!isZero(second)) throw tarFailure('tar-trailing-data', { offset: start })
  let end = start + BLOCK
  for (;;) {
    const bytes = yield { need: BLOCK }
    if (bytes.length === 0) return end
    if (!isZero(bytes) || bytes.length < BLOCK || end - start > MAX_END_PADDING) throw tarFailure('tar-trailing-data', { offset: end })
    end += BLOCK
  }
}
