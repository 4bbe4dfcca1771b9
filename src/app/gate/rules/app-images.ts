import { type GateRule, skip, that } from '../gate-rule.ts'

export const appImages: GateRule = {
  id: 'app-images',
  text: 'Every image of the Compose file is one that this very app may run.',
  *check({ policy, facts: { app }, images }) {
    const listed = app === null ? undefined : policy.apps[app.id]
    if (listed === undefined) return yield skip('app', app === null ? 'no app is asked about' : 'the policy does not list the app')
    for (const { subject, facts } of images)
      yield that(facts.name !== null && listed.images.includes(facts.name), subject, ['the app may run it', 'the app may not run it'])
  },
}
