import type { Assignment, RecipeConfig } from './config.ts'
import { judgePath } from './specifiers.ts'
import { nameOf } from './tree-view.ts'
import { splitTree, splitValue } from './values.ts'

/** A file of a tree that a setting lays somewhere: from where in the source, to where below the target's root (no leading slash). */
export type LaidFile = { readonly source: string; readonly target: string; readonly assignment: Assignment }

/** A tree whose content cannot be listed: an archive, or a path that is not in the source, or not yet. */
export type ClosedTree = { readonly source: string; readonly assignment: Assignment }

/** Trees laid many times over are cut off here, and then count as closed. */
const MOST_LAID = 200_000

export type Laid = { readonly files: readonly LaidFile[]; readonly closed: readonly ClosedTree[] }

const ARCHIVE = /\.(tar(\.\w+)?|t[gx]z|tzst|tbz2?|cpio(\.\w+)?|zip|raw|img)$/i

/** What `SkeletonTrees=`, `ExtraTrees=`, `SandboxTrees=` and their like lay where. */
export function laidFiles(config: RecipeConfig, assignments: readonly Assignment[]): Laid {
  const files: LaidFile[] = []
  const closed: ClosedTree[] = []
  for (const assignment of assignments) {
    for (const item of splitValue('trees', assignment.value)) {
      const { source, target } = splitTree(item)
      const root = normal(target ?? '')
      const found = judgePath(config, assignment, source)
      if (files.length > MOST_LAID) closed.push({ source, assignment })
      else if (found.kind === 'folder') {
        for (const entry of config.tree.below(found.path)) {
          const inside = found.path === '' ? entry.path : entry.path.slice(found.path.length + 1)
          files.push({ source: entry.path, target: root === '' ? inside : `${root}/${inside}`, assignment })
        }
      } else if (found.kind === 'file' && !ARCHIVE.test(found.path)) {
        files.push({ source: found.path, target: root === '' ? nameOf(found.path) : root, assignment })
      } else closed.push({ source: found.path, assignment })
    }
  }
  return { files, closed }
}

function normal(target: string): string {
  return target
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}
