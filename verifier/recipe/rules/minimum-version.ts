import { against, assigned, type Rule } from '../rule.ts'

export const minimumVersion: Rule = {
  id: 'minimum-version',
  severity: 'warn',
  text: "The recipe wants a later mkosi than the builder's, which then stops.",
  remedy: 'Choose a builder with that version, or lower MinimumVersion=.',
  *check(config, _facts, builder) {
    for (const assignment of assigned(config, 'MinimumVersion')) {
      if (assignment.value === '') continue
      const wanted = /^(\d+)(?:\.(\d+))?/.exec(assignment.value)
      const [major = 0, minor = 0] = builder.mkosi.split('.').map(Number)
      if (wanted === null) yield against(assignment, 'the version that is wanted is no number')
      else if (Number(wanted[1]) > major || (Number(wanted[1]) === major && Number(wanted[2] ?? 0) > minor))
        yield against(assignment, 'a later mkosi is wanted')
    }
  },
}
