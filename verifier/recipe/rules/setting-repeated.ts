import { against, type Rule } from '../rule.ts'

export const settingRepeated: Rule = {
  id: 'setting-repeated',
  severity: 'warn',
  text: 'A setting that takes one value has two in one file. mkosi takes the last one, a reader perhaps the first.',
  remedy: 'Remove the one that does not count.',
  *check(config) {
    const seen = new Map<string, string>()
    for (const assignment of config.assignments) {
      const { setting, file, line, value } = assignment
      if (line === null || (setting?.shape !== 'text' && setting?.shape !== 'name' && setting?.shape !== 'path')) continue
      const key = [assignment.image, assignment.profile ?? '', assignment.folder, file, setting.name].join('\n')
      const before = seen.get(key)
      if (before !== undefined && before !== value) yield against(assignment, 'a setting has a second value in the same file')
      seen.set(key, value)
    }
  },
}
