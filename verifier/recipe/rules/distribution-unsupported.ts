import { against, assigned, type Rule } from '../rule.ts'

export const distributionUnsupported: Rule = {
  id: 'distribution-unsupported',
  severity: 'refuse',
  text: 'The builder knows the archives of Debian. An image without a package manager (custom) needs none.',
  remedy: 'Write Distribution=debian, or Distribution=custom for an image made of files alone.',
  *check(config) {
    for (const assignment of assigned(config, 'Distribution'))
      if (!['debian', 'custom', ''].includes(assignment.value)) yield against(assignment, 'the builder has no such distribution')
  },
}
