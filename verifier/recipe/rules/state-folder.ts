import type { Rule } from '../rule.ts'

const FOLDERS = ['mkosi.output', 'mkosi.cache', 'mkosi.pkgcache', 'mkosi.builddir', 'mkosi.workspace', '.mkosi-private']

export const stateFolder: Rule = {
  id: 'state-folder',
  severity: 'warn',
  text: 'The source holds what an earlier build left behind. The builder uses folders of its own, but a script may find these.',
  remedy: 'Remove the folder from the source and ignore it in git.',
  *check(config) {
    for (const name of FOLDERS) {
      const found = config.tree.resolve('', name)
      if (found.kind === 'folder' && config.tree.names(found.path).some((child) => child !== '.gitignore' && child !== '.gitkeep'))
        yield { path: name, line: null, message: 'what an earlier build left behind lies in the source' }
    }
  },
}
