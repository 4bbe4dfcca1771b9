import type { RecipeConfig } from '../config.ts'
import { against, type Rule } from '../rule.ts'
import { judgePath } from '../specifiers.ts'
import { pathsIn } from '../values.ts'

export const parseTimeExecutable: Rule = {
  id: 'parse-time-executable',
  severity: 'refuse',
  text: 'mkosi runs mkosi.version, mkosi.seed, mkosi.rootpw, mkosi.machine-id, mkosi.snapshot and credentials while it parses the config, outside every sandbox of its own, if they are executable.',
  remedy: 'Write the value into the file and clear its executable bit.',
  *check(config) {
    const read = new Set<string>()
    for (const assignment of config.assignments) {
      const { setting } = assignment
      if (setting?.readsFile === true && assignment.line === null && runs(config, assignment.file))
        yield against(assignment, 'a file is run while the config is parsed')
      if (setting?.shape !== 'credentials') continue
      for (const path of pathsIn(setting.shape, assignment.value)) {
        const found = judgePath(config, assignment, path)
        if (found.kind === 'file' && runs(config, found.path)) yield against(assignment, 'a credential is run while the config is parsed')
        if (found.kind !== 'folder' || read.has(found.path)) continue
        read.add(found.path)
        for (const name of config.tree.names(found.path)) {
          const file = `${found.path === '' ? '' : `${found.path}/`}${name}`
          if (runs(config, file)) yield { path: file, line: null, message: 'a credential is run while the config is parsed' }
        }
      }
    }
  },
}

/** Through links, as the kernel judges it. */
function runs(config: RecipeConfig, path: string): boolean {
  const found = config.tree.resolveEscaped('', path)
  return found.kind === 'file' && config.tree.entry(found.path)?.executable === true
}
