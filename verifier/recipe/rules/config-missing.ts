import type { Rule } from '../rule.ts'

export const configMissing: Rule = {
  id: 'config-missing',
  severity: 'warn',
  text: "The recipe's folder has no mkosi.conf, so that mkosi builds a disk of its host's distribution, or nothing.",
  remedy: 'Name the folder that holds mkosi.conf.',
  *check(config) {
    if (config.tree.resolve('', 'mkosi.conf').kind !== 'file') yield { path: null, line: null, message: 'there is no mkosi.conf' }
  },
}
