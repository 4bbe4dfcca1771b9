import { against, assigned, type Rule } from '../rule.ts'

export const sourceDateEpoch: Rule = {
  id: 'source-date-epoch',
  severity: 'warn',
  text: 'Without SourceDateEpoch= every file that the build writes carries the time of the build. The builder then sets it to 0; plain mkosi elsewhere does not.',
  remedy: 'Write SourceDateEpoch= with a time in seconds, such as that of the commit.',
  *check(config, facts) {
    if (facts.sourceDateEpoch === null && config.main !== null)
      yield { path: config.main, line: null, message: 'no time is set for the image' }
    for (const assignment of assigned(config, 'SourceDateEpoch'))
      if (assignment.value === '') yield against(assignment, 'the time of the image is reset')
  },
}
