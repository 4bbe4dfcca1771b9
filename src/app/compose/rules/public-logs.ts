import { againstApp, appSetting, type ComposeRule } from '../compose-rule.ts'
import { isOn } from '../located.ts'

export const publicLogs: ComposeRule = {
  id: 'public-logs',
  severity: 'warn',
  why: 'Logs of the containers are given to everybody who asks the guest: what visitors sent may be in them.',
  remedy: 'Set public_logs to false, unless the app logs nothing of its visitors.',
  stage1: 7,
  *check(document) {
    const entry = appSetting(document, 'public_logs')
    if (entry !== undefined && isOn(entry.value) !== false) yield againstApp(entry, 'everybody can read the logs of the containers')
  },
}
