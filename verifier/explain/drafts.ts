import type { Aspect, Change, Difference } from '../model/explanation.ts'
import type { TreeEntry } from '../model/tree-manifest.ts'
import { differencesOf } from './differences.ts'
import { rawPath } from './manifest-cursor.ts'
import { type MergeOptions, mergeManifests } from './merge.ts'

/** A differing path before it is judged. */
export type Draft = {
  readonly path: string
  /** One character a byte. */
  readonly raw: string
  readonly kind: Change['kind']
  readonly left: TreeEntry | null
  readonly right: TreeEntry | null
  readonly what: readonly Difference[]
  readonly aspects: ReadonlySet<Aspect>
}

export type Drafts = {
  readonly drafts: readonly Draft[]
  readonly totals: { readonly added: number; readonly removed: number; readonly changed: number; readonly unlisted: number }
}

/** Collects up to `maxChanges` differing paths in canonical order and counts all of them. */
export async function collectDrafts(o: MergeOptions & { readonly maxChanges: number }): Promise<Drafts> {
  const drafts: Draft[] = []
  const totals = { added: 0, removed: 0, changed: 0, unlisted: 0 }
  for await (const { left, right } of mergeManifests(o)) {
    const kind = left === null ? 'added' : right === null ? 'removed' : 'changed'
    totals[kind] += 1
    const entry = left ?? right
    if (entry === null) continue
    if (drafts.length >= o.maxChanges) {
      totals.unlisted += 1
      continue
    }
    const what = differencesOf({ left, right })
    drafts.push({ path: entry.path, raw: rawPath(entry.path), kind, left, right, what, aspects: new Set(what.map((one) => one.aspect)) })
  }
  return { drafts, totals }
}
