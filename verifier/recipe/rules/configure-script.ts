import { against, assigned, type Rule } from '../rule.ts'

export const configureScript: Rule = {
  id: 'configure-script',
  severity: 'refuse',
  text: 'A configure script rewrites the whole config after it was parsed, so that what these rules read is not what is built.',
  remedy: 'Write the settings into mkosi.conf, with [Match] or profiles where they differ.',
  *check(config) {
    for (const assignment of assigned(config, 'ConfigureScripts'))
      if (assignment.value !== '') yield against(assignment, 'a script rewrites the config')
  },
}
