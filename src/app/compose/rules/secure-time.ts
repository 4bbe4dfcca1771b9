import { againstApp, appSetting, type ComposeRule } from '../compose-rule.ts'
import { isOn } from '../located.ts'

export const secureTime: ComposeRule = {
  id: 'secure-time',
  severity: 'warn',
  why: 'Without it the guest takes its clock from the host, who can then make what has expired count again.',
  remedy: 'Leave it out, or set it to true.',
  stage1: 7,
  *check(document) {
    const entry = appSetting(document, 'secure_time')
    if (entry !== undefined && isOn(entry.value) !== true) yield againstApp(entry, 'the host sets the clock')
  },
}
