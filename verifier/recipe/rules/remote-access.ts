import { against, assigned, type Rule } from '../rule.ts'
import { mayBeOn } from '../values.ts'

export const remoteAccess: Rule = {
  id: 'remote-access',
  severity: 'warn',
  text: 'Ssh= and Autologin= let somebody into the running image, where he can change what was verified.',
  remedy: 'Remove the setting from images that are deployed.',
  *check(config) {
    for (const assignment of assigned(config, 'Ssh', 'Autologin'))
      if (mayBeOn(assignment.value)) yield against(assignment, 'somebody can get into the running image')
  },
}
