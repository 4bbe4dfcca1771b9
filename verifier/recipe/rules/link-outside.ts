import type { RecipeConfig } from '../config.ts'
import { against, type Rule } from '../rule.ts'
import { judgePath } from '../specifiers.ts'
import { parentOf } from '../tree-view.ts'
import { pathsIn } from '../values.ts'

export const linkOutside: Rule = {
  id: 'link-outside',
  severity: 'refuse',
  text: 'A symbolic link leads out of the recipe where mkosi or a script follows it: the builder would be read in the place of the source. Links inside a tree that is copied into the image are content and are left alone.',
  remedy: 'Replace the link by the file that it points to.',
  *check(config) {
    for (const assignment of config.assignments) {
      if (assignment.setting === undefined) continue
      for (const path of pathsIn(assignment.setting.shape, assignment.value)) {
        const verdict = judgePath(config, assignment, path)
        if (verdict.links.length > 0 && (verdict.kind === 'outside' || verdict.kind === 'loop'))
          yield { ...against(assignment, 'a setting leads through a link out of the recipe'), evidence: verdict.links }
      }
    }
    const content = contentFolders(config)
    for (const entry of config.tree.entries) {
      if (entry.type !== 'l' || isBelow(entry.path, content)) continue
      const { kind } = config.tree.resolveEscaped('', entry.path)
      if (kind !== 'outside' && kind !== 'loop') continue
      // A name that mkosi looks for, however deep: what reads it is not worth guessing.
      const looked = entry.path.split('/').some((part) => part.startsWith('mkosi.'))
      const message = looked
        ? 'a link that mkosi follows leads out of the recipe'
        : 'a link that a script may follow leads out of the recipe'
      yield { path: entry.path, line: null, message, evidence: [entry.link ?? ''], severity: looked ? 'refuse' : 'warn' }
    }
  },
}

/** Folders copied into the image as they are, links and all. */
function contentFolders(config: RecipeConfig): ReadonlySet<string> {
  const folders = config.assignments
    .filter((assignment) => ['SkeletonTrees', 'ExtraTrees'].includes(assignment.setting?.name ?? ''))
    .flatMap((assignment) => pathsIn('trees', assignment.value).map((path) => judgePath(config, assignment, path)))
    .flatMap((verdict) => (verdict.kind === 'folder' && verdict.path !== '' ? [verdict.path] : []))
  return new Set(folders)
}

function isBelow(path: string, folders: ReadonlySet<string>): boolean {
  for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) if (folders.has(folder)) return true
  return false
}
