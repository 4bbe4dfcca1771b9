import { fail, type GateRule, pass, skip } from '../gate-rule.ts'

export const composeClean: GateRule = {
  id: 'compose-clean',
  text: 'The linter has nothing against the app-compose that the policy denies, but what the policy allows by the value’s sha256 (docs/compose-rules.md).',
  *check({ policy: { compose }, facts: { app } }) {
    if (app === null) return yield skip('compose', 'no app is asked about')
    const { lint } = app.compose
    if (lint === null) return yield skip('compose', 'its bytes are not at hand')
    const allowed = new Set(compose.allow.map(({ rule, sha256 }) => `${rule} ${sha256}`))
    const denied = lint.findings.filter(
      ({ rule, severity, sha256 }) => compose.deny.includes(severity) && !(sha256 !== null && allowed.has(`${rule} ${sha256}`)),
    )
    for (const { rule, pointer, message } of denied) yield fail('compose', `${rule}${pointer === '' ? '' : ` at ${pointer}`}: ${message}`)
    if (denied.length === 0) yield pass('compose', 'the linter has nothing against it that the policy denies')
  },
}
