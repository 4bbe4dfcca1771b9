import { type GateRule, skip, that } from '../gate-rule.ts'

export const composeKnown: GateRule = {
  id: 'compose-known',
  text: 'The bytes of the app-compose are at hand, and are what the hash says: a hash alone says nothing of what it starts.',
  *check({ facts: { app } }) {
    if (app === null) return yield skip('compose', 'no app is asked about')
    const { lint, hash } = app.compose
    yield that(lint !== null && lint.composeHash === hash, 'compose', [
      'its bytes are at hand',
      'its bytes are not at hand, so nobody can say what it starts',
    ])
  },
}
