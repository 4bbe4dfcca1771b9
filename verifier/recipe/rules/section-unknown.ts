import type { Rule } from '../rule.ts'

export const sectionUnknown: Rule = {
  id: 'section-unknown',
  severity: 'warn',
  text: 'mkosi passes over this section without a word, so that its settings look as if they counted. The rules read them all the same.',
  remedy: 'Move its settings into a section that mkosi knows, or remove it.',
  *check(config) {
    for (const { file, line, name } of config.strangeSections)
      yield { path: file, line, message: 'a section is not known', evidence: [`[${name}]`] }
  },
}
