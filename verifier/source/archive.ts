import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { openDecompressed } from '../compare/decompress.ts'
import { Sha256 } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { sha256Of } from '../model/hex-digest.ts'
import { latin1 } from '../tar/bytes.ts'
import { SOURCE_TAR_LIMITS } from '../tar/limits.ts'
import { readTar, type StreamedMember } from '../tar/read.ts'
import { sourceFailure } from './failures.ts'
import type { SourceLimits } from './limits.ts'
import type { Spool } from './spool.ts'
import { TreeEntries } from './tree-entries.ts'

type Options = { readonly folder: string; readonly spool: Spool; readonly limits: SourceLimits; readonly signal: AbortSignal }

/** Headers, padding and extended headers that a tar may have beside its files' content. */
const OVERHEAD_PER_ENTRY = 8 * 1024

/** zip, bzip2, 7z, lzip, RAR, by what they begin with: named for what they are, not for what they are not. */
const OTHER_FORMATS = /^(?:PK|BZh\d|7z\xbc\xaf|LZIP|Rar!)/s

const RATIO_FROM = 64 * 1024 ** 2

/**
 * Reads an archive as hostile. Forges wrap what they pack in one folder named after the commit: where everything lies in one folder and
 * the archive has no member for its root (`./`), that folder is taken off. `sha256` is of the archive's bytes, all of which were read
 * from a copy of ours, so that no one can exchange them between hashing and reading.
 */
export async function readArchive(
  file: string,
  o: Options,
): Promise<{ readonly sha256: Sha256; readonly entries: TreeEntries; readonly wrapper: string | undefined }> {
  const copy = path.join(o.folder, 'archive')
  const { sha256, size } = await copyArchive(file, copy, o)
  const entries = new TreeEntries(o.limits)
  const rooted = await attempt(() => readMembers(copy, size, entries, o))
  return { sha256, entries, wrapper: rooted ? undefined : entries.wrapper() }
}

/** Whether the archive has a member for its root. */
async function readMembers(copy: string, size: number, entries: TreeEntries, o: Options): Promise<boolean> {
  const { limits, signal } = o
  const maxSize = limits.maxTotalSize + limits.maxEntries * OVERHEAD_PER_ENTRY
  const { bytes } = await openDecompressed(copy, { maxSize, maxRatio: limits.maxRatio })
  const { maxEntries, maxFileSize, maxTotalSize } = limits
  let rooted = false
  for await (const member of readTar(bounded(bytes, size, o), { ...SOURCE_TAR_LIMITS, maxEntries, maxFileSize, maxTotalSize })) {
    signal.throwIfAborted()
    const name = latin1(member.path)
    if (name === '.') rooted = true
    // As in a folder: the repository is no part of its own content.
    else if (!name.split('/').includes('.git')) await addMember(entries, name, member, o.spool)
  }
  return rooted
}

async function addMember(entries: TreeEntries, name: string, member: StreamedMember, spool: Spool): Promise<void> {
  entries.check(name)
  const link = member.linkPath === null ? '' : latin1(member.linkPath)
  switch (member.type) {
    case 'directory':
      return entries.add({ path: name, type: 'd' })
    case 'symlink':
      return entries.add({ path: name, type: 'l', link })
    case 'file':
      return entries.add({ path: name, type: 'f', executable: (member.mode & 0o100) !== 0, content: await spool.append(member.body) })
    case 'hardlink': {
      // Two names of one file are two files with the same content in a source, as they are in git.
      const target = entries.get(link)
      if (target === undefined || target.type === 'd') throw sourceFailure('source-hard-link')
      return entries.add({ ...target, path: name })
    }
    case 'character':
    case 'block':
    case 'fifo':
      throw sourceFailure('source-special-file')
    default:
      return member.type satisfies never
  }
}

/** Fails a bomb long before the limits on sizes would: real sources do not shrink by more than this. */
async function* bounded(bytes: AsyncIterable<Uint8Array>, size: number, o: Options): AsyncGenerator<Uint8Array, void, void> {
  let out = 0
  for await (const chunk of bytes) {
    o.signal.throwIfAborted()
    out += chunk.length
    if (out > RATIO_FROM && out > size * o.limits.maxRatio) throw sourceFailure('source-ratio-limit', { limit: o.limits.maxRatio })
    yield chunk
  }
}

async function copyArchive(file: string, copy: string, o: Options): Promise<{ sha256: Sha256; size: number }> {
  // Non-blocking: opening a pipe would wait for ever.
  await using source = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException
    throw code === 'EACCES' || code === 'EPERM'
      ? sourceFailure('source-unreadable', {}, cause)
      : sourceFailure('source-missing', { named: file }, cause)
  })
  const status = await source.stat()
  if (!status.isFile()) throw sourceFailure(status.isDirectory() ? 'source-archive-format' : 'source-special-file')
  await using target = await open(copy, 'wx', 0o600)
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(1024 * 1024)
  let size = 0
  for (;;) {
    o.signal.throwIfAborted()
    const { bytesRead } = await source.read(buffer, 0, buffer.length, size)
    if (bytesRead === 0) return { sha256: sha256Of(hash), size }
    if (size === 0 && OTHER_FORMATS.test(buffer.toString('latin1', 0, Math.min(bytesRead, 8)))) throw sourceFailure('source-archive-format')
    size += bytesRead
    if (size > o.limits.maxArchiveSize) throw sourceFailure('source-size-limit', { limit: o.limits.maxArchiveSize })
    hash.update(buffer.subarray(0, bytesRead))
    await target.writeFile(buffer.subarray(0, bytesRead))
  }
}

/** The decompressor speaks of claimed artifacts: its failures are told in the words of a source. Those of the tar reader stay. */
async function attempt<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (error.code === 'compressed-damaged') throw sourceFailure('source-damaged', {}, error)
    if (error.code === 'decompressed-size') throw sourceFailure('source-size-limit', {}, error)
    throw error
  }
}
