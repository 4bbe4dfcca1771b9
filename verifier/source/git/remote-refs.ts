import { sourceFailure } from '../failures.ts'
import type { Git } from './git.ts'
import { records } from './lines.ts'

/** The branches and tags that a repository lists, with the commits that they stand for. */
export type RemoteRefs = {
  /** Full name (`refs/heads/main`) to object: for an annotated tag, what it points to. */
  readonly commits: ReadonlyMap<string, string>
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
  const commits = new Map([...listed].map(([name, object]) => [name, peeled.get(name) ?? object]))
  return { commits, defaultBranch: head !== null && commits.has(head) ? head : null }
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
  const commit = ref === null ? undefined : refs.commits.get(ref)
  if (ref === null || commit === undefined) throw sourceFailure('source-ref-missing')
  return { commit, ref }
}

/** A short name that is both is refused: git would silently take the tag. */
function nameOf(refs: RemoteRefs, revision: string): string | null {
  if (revision.startsWith('refs/')) return refs.commits.has(revision) ? revision : null
  const [first, second] = [`refs/heads/${revision}`, `refs/tags/${revision}`].filter((name) => refs.commits.has(name))
  if (second !== undefined) throw sourceFailure('source-ref-ambiguous')
  return first ?? null
}

/** In which order names are tried for a commit: the repository's own branch, then branches, then tags, by their bytes. */
export function inOrder(refs: RemoteRefs): readonly string[] {
  const rank = (name: string): number => (name === refs.defaultBranch ? 0 : name.startsWith('refs/heads/') ? 1 : 2)
  return [...refs.commits.keys()].toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}
