import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises'
import { escapeBytes } from '../model/tree-manifest.ts'
import { fromLatin1 } from '../tar/bytes.ts'
import { type SourceFailureCode, sourceFailure } from './failures.ts'
import type { SourceLimits } from './limits.ts'
import type { Spool } from './spool.ts'
import { TreeEntries } from './tree-entries.ts'

type Walk = {
  readonly root: string
  readonly entries: TreeEntries
  readonly spool: Spool
  readonly limits: SourceLimits
  readonly signal: AbortSignal
  /** Every path that was looked at, and what it looked like. */
  readonly seen: Map<string, string>
}

const NEVER_FOLLOWED = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Reads a folder as it lies there, `.git` left out wherever it is, following no link. What is written to it meanwhile fails it with
 * `source-changed`: everything is looked at again at the end, so that the tree did exist at one moment.
 */
export async function readFolder(
  folder: string,
  o: { readonly spool: Spool; readonly limits: SourceLimits; readonly signal: AbortSignal },
): Promise<TreeEntries> {
  const walk: Walk = { ...o, root: Buffer.from(folder).toString('latin1'), entries: new TreeEntries(o.limits), seen: new Map() }
  await readInto(walk, '')
  for (const [path, looks] of walk.seen) {
    o.signal.throwIfAborted()
    if (looksOf(await inspect(walk, path)) !== looks) throw failure('source-changed', path)
  }
  return walk.entries
}

/** What git itself puts into a repository without files, and looks for. */
const BARE = ['HEAD', 'config', 'objects', 'refs']

async function readInto(walk: Walk, folder: string): Promise<void> {
  walk.seen.set(folder, looksOf(await inspect(walk, folder)))
  const names = (await attempt(walk, folder, () => readdir(onDisk(walk, folder), { encoding: 'buffer' }))).map((name) =>
    name.toString('latin1'),
  )
  if (folder === '' && BARE.every((name) => names.includes(name))) throw sourceFailure('source-bare-repository')
  for (const written of names) {
    walk.signal.throwIfAborted()
    // The repository is no part of its own content; a clone, its archive and a copy of its files are the same source.
    if (written === '.git') continue
    await readEntry(walk, folder === '' ? written : `${folder}/${written}`)
  }
}

async function readEntry(walk: Walk, path: string): Promise<void> {
  walk.entries.check(path)
  const status = await inspect(walk, path)
  walk.seen.set(path, looksOf(status))
  if (status.isDirectory()) {
    walk.entries.add({ path, type: 'd' })
    await readInto(walk, path)
  } else if (status.isSymbolicLink()) {
    const link = await attempt(walk, path, () => readlink(onDisk(walk, path), { encoding: 'buffer' }))
    walk.entries.add({ path, type: 'l', link: link.toString('latin1') })
  } else if (status.isFile()) await readFile(walk, path, status)
  else throw failure('source-special-file', path)
}

async function readFile(walk: Walk, path: string, status: BigIntStats): Promise<void> {
  const size = Number(status.size)
  if (size > walk.limits.maxFileSize) throw failure('source-file-size-limit', path)
  await using file = await attempt(walk, path, () => open(onDisk(walk, path), NEVER_FOLLOWED))
  // What was opened is what was looked at, and not a pipe or another file that took its place.
  if (looksOf(await file.stat({ bigint: true })) !== looksOf(status)) throw failure('source-changed', path)
  const content = await walk.spool.append(exactly(file, size, path))
  walk.entries.add({ path, type: 'f', executable: (status.mode & 0o100n) !== 0n, content })
}

/** A file's bytes if there are as many as there were; a file that is written to for ever must not be read for ever. */
async function* exactly(file: FileHandle, size: number, path: string): AsyncGenerator<Uint8Array, void, void> {
  const buffer = Buffer.allocUnsafe(Math.min(size + 1, 256 * 1024))
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
    at += bytesRead
    if (at > size || (bytesRead === 0 && at < size)) throw failure('source-changed', path)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

async function inspect(walk: Walk, path: string): Promise<BigIntStats> {
  return attempt(walk, path, () => lstat(onDisk(walk, path), { bigint: true }))
}

function looksOf(status: BigIntStats): string {
  return [status.dev, status.ino, status.mode, status.size, status.mtimeNs, status.ctimeNs].join(' ')
}

/** The root with a slash, so that it is looked at where it is itself a link: it is the user's own word. */
function onDisk(walk: Walk, path: string): Buffer {
  return Buffer.from(`${walk.root}/${path}`, 'latin1')
}

async function attempt<T>(walk: Walk, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (path === '' && (code === 'ENOENT' || code === 'ENOTDIR'))
      throw sourceFailure('source-missing', { named: Buffer.from(walk.root, 'latin1').toString('utf8') }, cause)
    if (code === 'EACCES' || code === 'EPERM') throw failure('source-unreadable', path, cause)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'EINVAL' || code === 'ENXIO')
      throw failure('source-changed', path, cause)
    throw cause
  }
}

function failure(code: SourceFailureCode, path: string, cause?: unknown): Error {
  return sourceFailure(code, { path: escapeBytes(fromLatin1(path === '' ? '.' : path.slice(0, 512))) }, cause)
}
