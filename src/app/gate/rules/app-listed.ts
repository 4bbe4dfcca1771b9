import { type GateRule, skip, that } from '../gate-rule.ts'

export const appListed: GateRule = {
  id: 'app-listed',
  text: 'The app is one that the policy lists by its id.',
  *check({ policy, facts: { app } }) {
    if (app === null) yield skip('app', 'no app is asked about')
    else yield that(Object.hasOwn(policy.apps, app.id), 'app', ['the policy lists the app', 'the policy does not list the app'])
  },
}
