import { assignedUnlessOff } from '../conditions.ts'
import { against, type Rule } from '../rule.ts'
import { splitValue } from '../values.ts'

const COMPONENTS = ['main', 'contrib', 'non-free', 'non-free-firmware']

export const repositories: Rule = {
  id: 'repositories',
  severity: 'refuse',
  text: "Repositories= adds components of Debian's archive. What is not under the archive's free software rules is said; what is no component of Debian's is refused.",
  remedy: `Name only ${COMPONENTS.join(', ')}.`,
  *check(config, facts) {
    for (const assignment of assignedUnlessOff(config, 'Repositories')) {
      for (const name of splitValue('list', assignment.value)) {
        if (facts.distribution !== 'custom' && !COMPONENTS.includes(name))
          yield against(assignment, "this is no component of Debian's archive")
        else if (name !== 'main') yield against(assignment, 'packages may come from outside Debian itself', 'info')
      }
    }
  },
}
