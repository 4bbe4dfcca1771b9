import type { Rule } from '../rule.ts'

export const configUnreadable: Rule = {
  id: 'config-unreadable',
  severity: 'refuse',
  text: 'A config file could not be read here, so that no rule could see what is in it.',
  remedy: 'Write it as UTF-8 text without zero bytes, at most 256 KiB a file and 2 MiB in all; 20000 items of settings are the most.',
  *check(config) {
    for (const { file, message } of config.unreadable) yield { path: file, line: null, message }
  },
}
