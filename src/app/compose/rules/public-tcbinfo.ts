import { againstApp, appSetting, type ComposeRule } from '../compose-rule.ts'
import { isOn } from '../located.ts'

export const publicTcbinfo: ComposeRule = {
  id: 'public-tcbinfo',
  severity: 'deny',
  why: 'With public_tcbinfo off, nobody outside sees the app-compose and the event log of what runs: the chain from the URL to the source cannot be checked.',
  remedy: 'Leave it out, or set it to true.',
  stage1: 2,
  *check(document) {
    const entry = appSetting(document, 'public_tcbinfo')
    if (entry !== undefined && isOn(entry.value) !== true) yield againstApp(entry, 'what runs is shown to nobody')
  },
}
