import { against, type Rule } from '../rule.ts'

export const settingNewer: Rule = {
  id: 'setting-newer',
  severity: 'warn',
  text: "The builder's mkosi does not know this setting yet, and stops at it.",
  remedy: 'Choose a builder with a later mkosi, or remove the setting.',
  *check(config, _facts, builder) {
    for (const assignment of config.assignments) {
      const since = assignment.setting?.since ?? null
      if (since !== null && Number.parseInt(builder.mkosi, 10) < Number(since) && assignment.line !== null)
        yield against(assignment, `a setting needs mkosi ${since}`)
    }
  },
}
