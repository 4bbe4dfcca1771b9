import { against, assigned, type Rule } from '../rule.ts'
import { mayBeOn } from '../values.ts'

export const withNetwork: Rule = {
  id: 'with-network',
  severity: 'refuse',
  text: 'WithNetwork=yes asks for a network in build scripts. What a script fetches is in no lock, so nobody can build it again.',
  remedy: 'Remove WithNetwork= and vendor what the scripts fetch.',
  *check(config) {
    for (const assignment of assigned(config, 'WithNetwork'))
      if (mayBeOn(assignment.value)) yield against(assignment, 'build scripts ask for a network')
  },
}
