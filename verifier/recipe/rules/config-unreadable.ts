import type { Rule } from '../rule.ts'

export const configUnreadable: Rule = {
  id: 'config-unreadable',
  severity: 'refuse',
  text: 'A config file could not be read here, so that no rule could see what is in it.',
  remedy: 'Write it as UTF-8 text of at most 1 MiB, and less of it.',
  *check(config) {
    for (const { file, message } of config.unreadable) yield { path: file, line: null, message }
  },
}
