import { escapeBytes } from '../../model/tree-manifest.ts'
import { fromLatin1 } from '../../tar/bytes.ts'
import { sourceFailure } from '../failures.ts'
import type { SourceLimits } from '../limits.ts'
import type { Content, Spool } from '../spool.ts'
import { type SourceEntry, TreeEntries } from '../tree-entries.ts'
import { readBlobs } from './blobs.ts'
import type { Git } from './git.ts'
import { records } from './lines.ts'
import { attempt, inRepository } from './repository.ts'

type Listed = { readonly mode: string; readonly object: string; readonly path: string }

/**
 * The files of one folder of a commit, from git's objects themselves. Neither `git archive` nor a checkout: both obey the .gitattributes
 * of the repository (export-ignore, export-subst, filters, line ends), which would leave out or rewrite files at the publisher's word.
 */
export async function readCommit(
  git: Git,
  gitDir: string,
  o: { readonly commit: string; readonly path: string; readonly spool: Spool; readonly limits: SourceLimits },
): Promise<TreeEntries> {
  const tree = await folderTree(git, gitDir, o.commit, o.path, o.limits)
  const entries = new TreeEntries(o.limits)
  const blobs: Listed[] = []
  let paths = 0
  await attempt('offline', async () => {
    for await (const entry of listTree(git, gitDir, ['-r', '-t', '-z', '--full-tree', tree], o.limits)) {
      entries.check(entry.path)
      if (blobs.length >= o.limits.maxEntries) throw sourceFailure('source-entries-limit', { limit: o.limits.maxEntries })
      paths += entry.path.length
      if (paths > o.limits.maxPathsSize) throw sourceFailure('source-paths-limit', { limit: o.limits.maxPathsSize })
      if (entry.mode === '040000') entries.add({ path: entry.path, type: 'd' })
      else if (entry.mode === '160000') throw sourceFailure('source-submodules', { path: shown(entry.path) })
      else blobs.push(entry)
    }
  })
  const contents = new Map<string, Content>()
  const links = new Map<string, string>()
  const wanted = [...new Set(blobs.map(({ object }) => object))]
  await attempt('offline', () =>
    readBlobs(git, gitDir, wanted, async (object, bytes, size) => {
      if (size > o.limits.maxFileSize) throw sourceFailure('source-file-size-limit', { limit: o.limits.maxFileSize })
      const content = await o.spool.append(bytes)
      if (content.offset + content.size > o.limits.maxTotalSize) throw sourceFailure('source-size-limit', { limit: o.limits.maxTotalSize })
      contents.set(object, content)
    }),
  )
  await o.spool.flush()
  for (const { mode, object, path } of blobs) {
    const content = contents.get(object)
    if (content === undefined) throw sourceFailure('source-objects-malformed')
    if (mode === '120000' && !links.has(object)) links.set(object, Buffer.from(o.spool.head(content, 4096)).toString('latin1'))
    entries.add(entryOf(mode, path, content, links.get(object) ?? ''))
  }
  return entries
}

function entryOf(mode: string, path: string, content: Content, link: string): SourceEntry {
  if (mode === '120000') return { path, type: 'l', link }
  // 100664 is what the oldest versions of git wrote; all that is read of it is the owner's execute bit.
  if (/^100[0-7]{3}$/.test(mode)) return { path, type: 'f', executable: (Number.parseInt(mode, 8) & 0o100) !== 0, content }
  throw sourceFailure('source-objects-malformed', { path: shown(path) })
}

/** Walks down by comparing names as bytes. A path on git's command line would be a pattern with magic of its own. */
async function folderTree(git: Git, gitDir: string, commit: string, path: string, limits: SourceLimits): Promise<string> {
  const parse = inRepository(gitDir, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{tree}`)
  let tree = (await attempt('offline', () => git.output(parse))).trim()
  for (const name of path === '.' ? [] : path.split('/')) {
    const written = Buffer.from(name).toString('latin1')
    let found: Listed | undefined
    await attempt('offline', async () => {
      for await (const entry of listTree(git, gitDir, ['-z', '--full-tree', tree], limits)) if (entry.path === written) found ??= entry
    })
    if (found?.mode === '160000') throw sourceFailure('source-submodules', { path: shown(written) })
    if (found?.mode !== '040000') throw sourceFailure('source-path-missing', { path: shown(written) })
    tree = found.object
  }
  return tree
}

async function* listTree(git: Git, gitDir: string, args: readonly string[], limits: SourceLimits): AsyncGenerator<Listed, void, void> {
  const listing = git.stream(inRepository(gitDir, 'ls-tree', ...args))
  for await (const record of records(listing, { terminator: '\0', maxLength: limits.maxPathLength + 1024 })) {
    const [, mode, object, path] = /^(\d{6}) [a-z]+ ([0-9a-f]{40}(?:[0-9a-f]{24})?)\t(.+)$/s.exec(record) ?? []
    if (mode === undefined || object === undefined || path === undefined) throw sourceFailure('source-objects-malformed')
    yield { mode, object, path }
  }
}

function shown(path: string): string {
  return escapeBytes(fromLatin1(path.slice(0, 512)))
}
