import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import type { PinnedSource } from '../model/source.ts'
import { readArchive } from './archive.ts'
import { sourceFailure } from './failures.ts'
import { readFolder } from './folder.ts'
import { type Resolve, systemResolve } from './git/host.ts'
import { SOURCE_LIMITS, type SourceLimits } from './limits.ts'
import { pinCommit } from './pin-git.ts'
import { canonicalTar, type PinnedTree, sourceTreeOf, treeDigestOf } from './pinned-tree.ts'
import type { SourceAccess, SourceRef } from './source-ref.ts'
import { Spool } from './spool.ts'
import type { SourceEntry } from './tree-entries.ts'

export type PinDeps = {
  /** An existing folder; what is put there is private and gone when the tree is disposed of, or when pinning fails. */
  readonly scratch: string
  /** The same that the reference was parsed with. */
  readonly access: SourceAccess
  readonly limits?: Partial<SourceLimits>
  readonly signal?: AbortSignal
  /** The git program, by name or path. */
  readonly git?: string
  readonly resolve?: Resolve
}

type Work = {
  readonly folder: string
  readonly spool: Spool
  readonly access: SourceAccess
  readonly limits: SourceLimits
  readonly signal: AbortSignal
  readonly program: string
  readonly resolve: Resolve
}

/**
 * Makes a source one that can no longer change: resolves it, reads all of it as hostile, and brings it to canonical form. A clone, an
 * archive and a copy of one commit give the same tree digest. Rejects with a `Failure` (`source-…`, `tar-…`, `git-…`) or the signal's
 * reason, and then leaves nothing behind, neither files nor processes.
 */
export async function pinSource(ref: SourceRef, deps: PinDeps): Promise<PinnedTree> {
  const { access, signal, git = 'git', resolve = systemResolve } = deps
  const limits = { ...SOURCE_LIMITS, ...deps.limits }
  if (ref.kind !== 'git' && !access.files) throw sourceFailure('source-local-refused')
  signal?.throwIfAborted()
  await using held = new AsyncDisposableStack()
  const folder = await mkdtemp(path.join(deps.scratch, 'source-'))
  held.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
  const spool = held.use(await Spool.create(folder))
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(sourceFailure('source-time-limit', { limit: limits.maxTime })), limits.maxTime)
  try {
    const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
    const { pinned, entries } = await read(ref, { folder, spool, access, limits, signal: either, program: git, resolve })
    await spool.flush()
    either.throwIfAborted()
    const kept = held.move()
    return {
      pinned,
      tree: sourceTreeOf(entries, spool),
      tar: () => canonicalTar(entries, spool),
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    }
  } finally {
    clearTimeout(timer)
  }
}

type Read = { readonly pinned: PinnedSource; readonly entries: readonly SourceEntry[] }

async function read(ref: SourceRef, work: Work): Promise<Read> {
  switch (ref.kind) {
    case 'git': {
      const { commit, ref: name, entries } = await pinCommit(ref, work)
      return { entries, pinned: { kind: 'git', url: ref.url, commit, ref: name, path: ref.path, treeDigest: treeDigestOf(entries) } }
    }
    case 'archive': {
      const { sha256, entries: all, wrapper } = await readArchive(ref.file, work)
      const inside = [wrapper, ref.path === '.' ? undefined : Buffer.from(ref.path).toString('latin1')].filter((part) => part !== undefined)
      const entries = all.within(inside.join('/') || '.')
      const name = path.basename(ref.file)
      return { entries, pinned: { kind: 'archive', name, sha256, path: ref.path, treeDigest: treeDigestOf(entries) } }
    }
    case 'folder': {
      const entries = (await readFolder(ref.folder, work)).within('.')
      const name = path.basename(path.resolve(ref.folder))
      return { entries, pinned: { kind: 'archive', name, sha256: null, path: '.', treeDigest: treeDigestOf(entries) } }
    }
    default:
      return ref satisfies never
  }
}
