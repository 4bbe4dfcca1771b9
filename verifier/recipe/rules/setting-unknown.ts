import { against, type Rule } from '../rule.ts'

export const settingUnknown: Rule = {
  id: 'setting-unknown',
  severity: 'refuse',
  text: 'No rule knows this setting. mkosi 25 stops at it, mkosi 26 and later pass over it, and a later one may do something with it that nobody has looked at.',
  remedy: 'Correct its name (they are case-sensitive) or remove it.',
  *check(config) {
    for (const assignment of config.assignments) if (assignment.setting === undefined) yield against(assignment, 'a setting is not known')
  },
}
