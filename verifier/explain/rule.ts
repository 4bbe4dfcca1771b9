import type { Transformation } from '../model/comparison.ts'
import type { Aspect, Change } from '../model/explanation.ts'
import type { Severity } from '../model/finding.ts'
import type { TreeEntry } from '../model/tree-manifest.ts'
import type { PackageDifference } from './dpkg/package-changes.ts'
import type { Inspection } from './inspect/signal.ts'

/** What every rule has: docs/explain-rules.md lists the same. */
export type RuleText = {
  /** Stable, kebab-case: `findings[].rule`. */
  readonly id: string
  readonly severity: Severity
  /** One sentence: what is the matter. */
  readonly text: string
  /** What to do about it, in mkosi's own terms. */
  readonly remedy: string
}

/** What is known of one differing path when the rules judge it. */
export type PathEvidence = {
  /** One character a byte, as in the archive. */
  readonly path: string
  readonly kind: Change['kind']
  readonly left: TreeEntry | null
  readonly right: TreeEntry | null
  readonly aspects: ReadonlySet<Aspect>
  /** Null where the contents were not looked into. */
  readonly inspection: Inspection | null
  /** Whether a package database was there to ask. */
  readonly ownersKnown: boolean
  readonly owner: string | null
  /** What happened to the owner, or to the package whose own records the path holds; null where nothing did. */
  readonly drift: PackageDifference | null
  /** Whether any package differs between the sides. */
  readonly anyDrift: boolean
}

/** What a rule explains of one change. */
export type Explained = {
  readonly aspects: readonly Aspect[]
  /** Escaped and short; null where the path says it all. */
  readonly evidence: string | null
}

export type PathRule = RuleText & {
  /** Whether findings name samples by path, or each distinct evidence once. */
  readonly samples: 'path' | 'evidence'
  readonly explain: (evidence: PathEvidence) => Explained | null
}

export const CONTENT: readonly Aspect[] = ['content', 'size']
/** All that follows from a path being written anew, or not at all. */
export const WRITTEN: readonly Aspect[] = ['entry', 'content', 'size', 'mtime']
export const ANY: readonly Aspect[] = ['entry', 'type', 'content', 'size', 'mode', 'owner', 'mtime', 'xattr', 'link', 'device', 'hard-link']

export const NOTHING_MORE = { aspects: WRITTEN, evidence: null } satisfies Explained

/** What differs about two archives apart from the tree in them, as the comparer found it. */
export type ArchiveDifferences = {
  readonly transformations: readonly Transformation[]
  /** Names of the compressions, where they differ. */
  readonly compression?: { readonly left: string; readonly right: string } | undefined
  /** Bytes behind the end of each archive, where there are any. */
  readonly trailingBytes?: { readonly left: number; readonly right: number } | undefined
  /** Whether one of them stores files sparse. */
  readonly sparse?: boolean | undefined
}

export type ArchiveRule = RuleText & {
  /** Evidence, or null where the rule has nothing to say. */
  readonly explain: (archive: ArchiveDifferences) => readonly string[] | null
}
