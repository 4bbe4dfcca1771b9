import { sourceFailure } from './failures.ts'
import { readCommit } from './git/commit-tree.ts'
import { Git, GitFailed } from './git/git.ts'
import { pinHost, type Resolve } from './git/host.ts'
import { resolveRevision } from './git/remote-refs.ts'
import { fetchCommit, type Remote, refContaining, remoteRefs } from './git/repository.ts'
import type { SourceLimits } from './limits.ts'
import { checkRepositoryUrl, type SourceAccess, type SourceRef } from './source-ref.ts'
import type { Spool } from './spool.ts'
import type { SourceEntry } from './tree-entries.ts'

export type GitDeps = {
  readonly access: SourceAccess
  readonly limits: SourceLimits
  readonly signal: AbortSignal
  readonly program: string
  readonly resolve: Resolve
  /** A private folder. */
  readonly folder: string
  readonly spool: Spool
}

export type PinnedCommit = { readonly commit: string; readonly ref: string | null; readonly entries: readonly SourceEntry[] }

/** Fetches what a reference to a repository means now, reads one folder of it, and finds a name from which the commit is reachable. */
export async function pinCommit(source: Extract<SourceRef, { kind: 'git' }>, deps: GitDeps): Promise<PinnedCommit> {
  const { access, folder, limits, signal, program } = deps
  const url = checkRepositoryUrl(source.url, access)
  const offline = new Git({ program, home: folder, protocols: [], config: [], signal, maxTime: limits.maxTime })
  await requireGit(offline, program)
  const protocol = url.protocol.slice(0, -1) as 'https' | 'http' | 'file'
  const config = protocol === 'file' ? [] : await pinHost(url, { privateHosts: access.privateHosts, resolve: deps.resolve, signal })
  const online = new Git({ program, home: folder, protocols: [protocol], config, signal, maxTime: limits.maxTime })
  const remote: Remote = { url: source.url, online, offline, folder, limits }
  const refs = await remoteRefs(remote)
  const { commit, ref } = resolveRevision(refs, source.revision)
  const gitDir = await fetchCommit(remote, refs, commit)
  const entries = await readCommit(offline, gitDir, { commit, path: source.path, spool: deps.spool, limits })
  const name = ref ?? (await refContaining(remote, refs, commit))
  return { commit, ref: name === null ? null : Buffer.from(name, 'latin1').toString(), entries: entries.within('.') }
}

/** Programs that were found fit: whoever pins one source after another asks once. */
const fit = new Set<string>()

/** http.curloptResolve, which holds git to the addresses that were looked at, came with 2.37. */
async function requireGit(git: Git, program: string): Promise<void> {
  if (fit.has(program)) return
  const said = await git.output(['version']).catch((error: unknown) => {
    throw error instanceof GitFailed ? sourceFailure('git-missing', {}, error) : error
  })
  const [, major = '0', minor = '0'] = /^git version (\d+)\.(\d+)/.exec(said) ?? []
  if (Number(major) * 1000 + Number(minor) < 2037) throw sourceFailure('git-too-old')
  fit.add(program)
}
