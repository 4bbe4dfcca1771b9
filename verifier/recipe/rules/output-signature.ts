import { against, assigned, type Rule } from '../rule.ts'
import { mayBeOn } from '../values.ts'

export const outputSignature: Rule = {
  id: 'output-signature',
  severity: 'refuse',
  text: 'Sign= wants a key of whoever builds, which the builder does not have; OpenPGPTool= names a program that is run to sign.',
  remedy: 'Remove the settings; a verdict is signed outside the builder.',
  *check(config) {
    for (const assignment of assigned(config, 'Sign'))
      if (mayBeOn(assignment.value)) yield against(assignment, 'the builder has no key to sign with', 'warn')
    for (const assignment of assigned(config, 'OpenPGPTool'))
      if (assignment.value !== '' && assignment.value !== 'gpg') yield against(assignment, 'a program is named to sign with')
  },
}
