import { nameMatches } from '../../../../attestations/verify/name-match.ts'
import { type GateRule, skip, that } from '../gate-rule.ts'

export const composeAdmitted: GateRule = {
  id: 'compose-admitted',
  text: 'The app-compose, by the sha256 of its bytes, is one that the policy lists for this app, or one that somebody admitted who may.',
  *check({ policy, facts: { app } }) {
    const listed = app === null ? undefined : policy.apps[app.id]
    if (app === null || listed === undefined)
      return yield skip('compose', app === null ? 'no app is asked about' : 'the policy does not list the app')
    const { hash, admittedBy } = app.compose
    if (listed.composes.includes(hash)) return yield that(true, 'compose', ['the policy lists it for the app', ''])
    const may = admittedBy !== null && listed.admitters.some((pattern) => nameMatches({ pattern }, admittedBy))
    yield that(may, 'compose', [
      'it was admitted by who may',
      admittedBy === null ? 'nobody admitted it for this app' : 'who admitted it may not',
    ])
  },
}
