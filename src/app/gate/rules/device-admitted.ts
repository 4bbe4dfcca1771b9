import { type GateRule, GUEST, skip, that } from '../gate-rule.ts'

export const deviceAdmitted: GateRule = {
  id: 'device-admitted',
  text: 'The machine is one that the app may run on.',
  *check({ policy, facts: { app, guest } }) {
    const listed = app === null ? undefined : policy.apps[app.id]
    if (guest === null || listed === undefined)
      return yield skip(GUEST, guest === null ? 'nothing runs yet' : 'the policy does not list the app')
    const { devices } = listed
    const may = devices === 'any' || (guest.deviceId !== null && devices.includes(guest.deviceId))
    yield that(may, GUEST, ['the app may run on this machine', 'the app may not run on this machine'])
  },
}
