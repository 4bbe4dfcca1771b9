import type { RecipeConfig } from '../config.ts'
import { parseIni } from '../ini.ts'
import { assigned, type Objection, type Rule } from '../rule.ts'
import { judgePath } from '../specifiers.ts'
import { join } from '../tree-view.ts'
import { pathsIn } from '../values.ts'

export const repartCopy: Rule = {
  id: 'repart-copy',
  severity: 'refuse',
  text: "CopyBlocks= in a partition's definition copies the blocks of a device or file of the machine that builds.",
  remedy: 'Use CopyFiles=, which copies from the image.',
  *check(config) {
    const read = new Set<string>()
    for (const assignment of assigned(config, 'RepartDirectories')) {
      for (const path of pathsIn('paths', assignment.value)) {
        const found = judgePath(config, assignment, path)
        if (found.kind !== 'folder' || read.has(found.path)) continue
        read.add(found.path)
        for (const entry of config.tree.below(found.path)) yield* objections(config, entry.path)
        for (const name of config.tree.names(found.path))
          if (config.tree.entry(join(found.path, name))?.type === 'l')
            yield { path: join(found.path, name), line: null, message: "a partition's definition is a link", severity: 'warn' }
      }
    }
  },
}

function* objections(config: RecipeConfig, path: string): Generator<Objection> {
  const text = config.tree.text(path)
  if (text === undefined) return
  for (const entry of parseIni(text).entries)
    if (entry.name.toLowerCase() === 'copyblocks')
      yield { path, line: entry.line, message: 'blocks of the builder are copied', evidence: [`${entry.name}=${entry.value}`] }
}
