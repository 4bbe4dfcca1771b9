import { copyFile } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../../model/failure.ts'
import { sourceFailure } from '../failures.ts'
import type { SourceLimits } from '../limits.ts'
import { withinSize } from './disk-watch.ts'
import { type Git, GitFailed } from './git.ts'
import { gitFailure } from './git-failure.ts'
import { inOrder, listRefs, type RemoteRef, type RemoteRefs } from './remote-refs.ts'

export type Remote = {
  readonly url: string
  /** May reach the remote. */
  readonly online: Git
  /** May reach nothing. */
  readonly offline: Git
  /** A private folder of ours. */
  readonly folder: string
  readonly limits: SourceLimits
}

export async function remoteRefs(remote: Remote): Promise<RemoteRefs> {
  return attempt('online', () => listRefs(remote.online, remote.url, remote.limits))
}

/** Fetches one commit with its files and nothing of its history; gives the repository's folder. */
export async function fetchCommit(remote: Remote, refs: RemoteRefs, commit: string): Promise<string> {
  const gitDir = await initialise(remote, 'commit', commit.length)
  const wanted = ['--depth=1', `+${tipAt(refs, commit)?.object ?? commit}:refs/bitwitness/commit`]
  await fetch(remote, gitDir, [['fetch.fsckObjects', 'true']], wanted)
  // A tag's or a tree's own name is 40 digits as well, and so is a branch's, to whoever wants to confuse.
  if (!(await isThere(remote, gitDir, commit))) throw sourceFailure('source-commit-missing')
  return gitDir
}

/**
 * A branch or tag of the repository from which the commit can be reached, null for none. A host serves the commits of every fork under
 * the parent's URL, so that being served says nothing. Where the commit is no tip, history is fetched without files, in steps: it is
 * the default branch nearly always.
 */
export async function refContaining(remote: Remote, refs: RemoteRefs, commit: string): Promise<string | null> {
  const names = inOrder(refs)
  const tip = names.find((name) => refs.byName.get(name)?.commit === commit)
  if (tip !== undefined) return tip
  const gitDir = await initialise(remote, 'history', commit.length)
  const steps = [names.filter((name) => name === refs.defaultBranch), names.filter((name) => name.startsWith('refs/heads/')), names]
  for (const [index, step] of steps.entries()) {
    if (step.length === (steps[index - 1]?.length ?? 0)) continue
    const tips = await tipsContaining(
      remote,
      gitDir,
      commit,
      step.flatMap((name) => refs.byName.get(name) ?? []),
    )
    const found = step.find((name) => tips.has(refs.byName.get(name)?.object ?? ''))
    if (found !== undefined) return found
  }
  return null
}

function tipAt(refs: RemoteRefs, commit: string): RemoteRef | undefined {
  return [...refs.byName.values()].find((ref) => ref.commit === commit)
}

/**
 * Objects are fetched and kept by their own names: those that the server gave its branches never reach git again. Not checked by fsck:
 * a commit that was malformed long ago says nothing about this source, and only who is whose parent is read, which the hashes bind.
 */
async function tipsContaining(remote: Remote, gitDir: string, commit: string, tips: readonly RemoteRef[]): Promise<ReadonlySet<string>> {
  await fetchHistory(remote, gitDir, tips)
  await copyFile(path.join(gitDir, PLAIN), path.join(gitDir, 'config'))
  const has = await attempt('offline', () => isThere(remote, gitDir, commit))
  if (!has) return new Set()
  const list = inRepository(gitDir, 'for-each-ref', `--contains=${commit}`, '--format=%(refname:lstrip=2)', 'refs/tip/')
  return new Set((await attempt('offline', () => remote.offline.output(list, MAX_LIST))).split('\n'))
}

/**
 * A tag may stand for a single file or folder, which the filter leaves out and git then misses: it names the object, and is asked again
 * without. No such tag holds a commit.
 */
async function fetchHistory(remote: Remote, gitDir: string, tips: readonly RemoteRef[]): Promise<void> {
  let wanted = tips
  for (let left = MAX_ODD_TAGS; wanted.length > 0; left -= 1) {
    try {
      await fetch(remote, gitDir, HISTORY, ['--filter=tree:0', '--stdin'], [...new Set(wanted.map(({ object }) => object))])
      return
    } catch (error) {
      const said = error instanceof Failure && error.cause instanceof GitFailed ? error.cause.said : ''
      const [, missed] = /(?:bad object|bad revision|could not fetch) '?([0-9a-f]{40,64})/.exec(said) ?? []
      const rest = wanted.filter(({ object, commit }) => object !== missed && commit !== missed)
      if (left === 0 || rest.length === wanted.length) throw error
      wanted = rest
    }
  }
}

const MAX_ODD_TAGS = 8
const MAX_LIST = 32 * 1024 ** 2
const HISTORY = [
  ['fetch.fsckObjects', 'false'],
  // What was left out on purpose is not missed, and never asked for.
  ['remote.history.promisor', 'true'],
] as const

async function isThere(remote: Remote, gitDir: string, commit: string): Promise<boolean> {
  try {
    const type = await remote.offline.output(inRepository(gitDir, 'cat-file', '-t', commit))
    return type.trim() === 'commit'
  } catch (error) {
    if (error instanceof GitFailed) return false
    throw error
  }
}

async function initialise(remote: Remote, name: string, digits: number): Promise<string> {
  const gitDir = path.join(remote.folder, `${name}.git`)
  const format = digits === 64 ? 'sha256' : 'sha1'
  await attempt('offline', () => remote.offline.output(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, gitDir]))
  await copyFile(path.join(gitDir, 'config'), path.join(gitDir, PLAIN))
  return gitDir
}

/** The configuration before a fetch noted there that more could be had on demand, which would make reading what is missing an error. */
const PLAIN = 'config.plain'

async function fetch(
  remote: Remote,
  gitDir: string,
  config: readonly (readonly [string, string])[],
  what: readonly string[],
  tips: readonly string[] = [],
): Promise<void> {
  const settings = [...config, ['remote.history.url', remote.url] as const].flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const options = ['--quiet', '--no-progress', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--no-auto-maintenance']
  const flags = what.filter((one) => one.startsWith('--'))
  const refspecs = what.filter((one) => !one.startsWith('--'))
  const input = [Buffer.from(tips.map((tip) => `+${tip}:refs/tip/${tip}\n`).join(''))]
  const args = [...settings, ...inRepository(gitDir, 'fetch', ...options, ...flags, '--end-of-options', 'history', ...refspecs)]
  await attempt('online', () =>
    withinSize(remote.folder, remote.limits.maxFetchSize, (signal) => drain(remote.online.stream(args, { input, signal }))),
  )
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

export function inRepository(gitDir: string, ...args: readonly string[]): string[] {
  return [`--git-dir=${gitDir}`, ...args]
}

/** What git said becomes a code of ours; its text stays in the cause. Where git reached nothing, what it met is the repository's. */
export async function attempt<T>(where: 'online' | 'offline', run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error
    throw where === 'online' ? gitFailure(error) : sourceFailure('source-objects-malformed', {}, error)
  }
}
