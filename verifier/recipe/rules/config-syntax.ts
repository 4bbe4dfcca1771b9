import type { Rule } from '../rule.ts'

export const configSyntax: Rule = {
  id: 'config-syntax',
  severity: 'warn',
  text: 'mkosi stops at this line. What follows it was read all the same.',
  remedy: 'Write a [Section] or Name=value; values that go on are indented.',
  *check(config) {
    for (const { kind, file, line, message } of config.problems) if (kind === 'syntax') yield { path: file, line, message }
  },
}
