import { against, assigned, type Rule } from '../rule.ts'
import { parseBoolean } from '../values.ts'

export const repartOnline: Rule = {
  id: 'repart-online',
  severity: 'warn',
  text: 'RepartOffline=no wants loop devices, which the builder does not have.',
  remedy: 'Remove RepartOffline=.',
  *check(config) {
    for (const assignment of assigned(config, 'RepartOffline'))
      if (assignment.value !== '' && parseBoolean(assignment.value) !== true) yield against(assignment, 'the builder has no loop devices')
  },
}
