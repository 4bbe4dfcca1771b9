import { sourceFailure } from '../failures.ts'
import type { Git } from './git.ts'
import { records } from './lines.ts'

export type RemoteRef = {
  /** What it lists: the tag itself for an annotated tag. Servers of the old protocol give out nothing else. */
  readonly object: string
  /** What that stands for: nearly always a commit. */
  readonly commit: string
}

/** The branches and tags that a repository lists. */
export type RemoteRefs = {
  /** By full name: `refs/heads/main`. */
  readonly byName: ReadonlyMap<string, RemoteRef>
  /** The branch that the repository itself names, where it lists that branch. */
  readonly defaultBranch: string | null
}

const OBJECT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/
// As strict as what is accepted from users: such a name can stand in a report, a policy or a terminal.
const NAME = /^refs\/(?:heads|tags)\/[!-~\x80-\xff]+$/

/** Asks the repository what it has. What is neither branch nor tag (merge requests of strangers, say) is left out. */
export async function listRefs(git: Git, url: string, limits: { readonly maxRefs: number }): Promise<RemoteRefs> {
  const listed = new Map<string, string>()
  const peeled = new Map<string, string>()
  let head: string | null = null
  let lines = 0
  for await (const line of records(git.stream(['ls-remote', '--symref', '--end-of-options', url]), { terminator: '\n', maxLength: 4096 })) {
    lines += 1
    if (lines > limits.maxRefs * 10) throw sourceFailure('source-refs-limit', { limit: limits.maxRefs })
    const [object = '', name = ''] = line.split('\t')
    if (name === 'HEAD' && object.startsWith('ref: ')) head = object.slice('ref: '.length)
    if (!OBJECT.test(object)) continue
    if (name.endsWith('^{}')) peeled.set(name.slice(0, -3), object)
    else if (isShowable(name)) listed.set(name, object)
    if (listed.size > limits.maxRefs) throw sourceFailure('source-refs-limit', { limit: limits.maxRefs })
  }
  const byName = new Map([...listed].map(([name, object]) => [name, { object, commit: peeled.get(name) ?? object }]))
  return { byName, defaultBranch: head !== null && byName.has(head) ? head : null }
}

/** Names are text one character a byte; those that are not plain UTF-8 text are as if they were not there. */
function isShowable(name: string): boolean {
  if (!NAME.test(name) || /[~^:?*[\\]/.test(name) || name.length > 255) return false
  try {
    return !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(name, 'latin1')))
  } catch {
    return false
  }
}

/** Commit for what the user asked for, and the name that it was found under; null where the commit itself was given. */
export function resolveRevision(refs: RemoteRefs, revision: string | null): { readonly commit: string; readonly ref: string | null } {
  if (revision !== null && OBJECT.test(revision)) return { commit: revision, ref: null }
  const ref = revision === null ? refs.defaultBranch : nameOf(refs, Buffer.from(revision).toString('latin1'))
  const commit = ref === null ? undefined : refs.byName.get(ref)?.commit
  if (ref === null || commit === undefined) throw sourceFailure('source-ref-missing')
  return { commit, ref }
}

/** A short name that is both is refused: git would silently take the tag. */
function nameOf(refs: RemoteRefs, revision: string): string | null {
  if (revision.startsWith('refs/')) return refs.byName.has(revision) ? revision : null
  const [first, second] = [`refs/heads/${revision}`, `refs/tags/${revision}`].filter((name) => refs.byName.has(name))
  if (second !== undefined) throw sourceFailure('source-ref-ambiguous')
  return first ?? null
}

/** In which order names are tried for a commit: the repository's own branch, then branches, then tags, by their bytes. */
export function inOrder(refs: RemoteRefs): readonly string[] {
  const rank = (name: string): number => (name === refs.defaultBranch ? 0 : name.startsWith('refs/heads/') ? 1 : 2)
  return [...refs.byName.keys()].toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}
