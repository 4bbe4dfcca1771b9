import { assignedUnlessOff } from '../conditions.ts'
import { against, type Rule } from '../rule.ts'

export const architectureUnsupported: Rule = {
  id: 'architecture-unsupported',
  severity: 'refuse',
  text: 'An image for another architecture than the builder runs on would be made by emulation, or not at all.',
  remedy: "Choose a builder of that architecture, or the builder's architecture in Architecture=.",
  *check(config, _facts, builder) {
    for (const assignment of assignedUnlessOff(config, 'Architecture'))
      if (assignment.value !== '' && assignment.value !== builder.architecture)
        yield against(assignment, 'the builder runs on another architecture')
  },
}
