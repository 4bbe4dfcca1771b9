import { against, assigned, type Rule } from '../rule.ts'
import { hasUnknownSpecifier } from '../specifiers.ts'
import { textOf } from '../tree-view.ts'
import { splitValue } from '../values.ts'

export const configAmbiguous: Rule = {
  id: 'config-ambiguous',
  severity: 'refuse',
  text: 'Two readers could take the config for two different ones: invisible characters, values over several lines where mkosi takes one, a place of the config that differs between versions.',
  remedy: 'Write the config in plain characters, one setting a line.',
  *check(config) {
    for (const { kind, file, line, message } of config.problems) if (kind === 'ambiguous') yield { path: file, line, message }
    for (const assignment of config.assignments) {
      const shape = assignment.setting?.shape
      const single = shape === 'text' || shape === 'name' || shape === 'path'
      if (single && assignment.value.includes('\n')) yield against(assignment, 'one value goes over several lines')
      if (assignment.setting?.name === 'SourceDateEpoch' && !/^\d{0,15}$/.test(assignment.value))
        yield against(assignment, 'a time is not written in plain digits')
    }
    for (const assignment of config.assignments)
      if (hasUnknownSpecifier(assignment.value) && assignment.line !== null)
        yield against(assignment, 'mkosi drops a specifier that it does not know')
    const chosen = assigned(config, 'Profiles').flatMap(({ value }) => splitValue('list', value))
    for (const { file, name } of config.plainProfiles)
      if (chosen.some((profile) => profile === textOf(name) || profile.includes('%')))
        yield { path: file, line: null, message: 'a profile is a file whose name does not end with .conf' }
    const root = ['mkosi.conf', 'mkosi.tools.conf'].some((name) => config.tree.resolve('', name).kind !== 'missing')
    const below = ['mkosi/mkosi.conf', 'mkosi/mkosi.tools.conf'].find((name) => config.tree.resolve('', name).kind !== 'missing')
    if (!root && below !== undefined)
      yield { path: below, line: null, message: 'later versions of mkosi look into the folder mkosi/ here, earlier ones do not' }
  },
}
