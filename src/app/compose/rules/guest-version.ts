import { appSetting, type ComposeRule } from '../compose-rule.ts'
import { under } from '../located.ts'

export const guestVersion: ComposeRule = {
  id: 'guest-version',
  severity: 'info',
  why: 'Without requirements the app starts on whichever guest image its host has; a KMS and a policy still choose among them.',
  remedy: 'Say the versions in requirements.os_version and the platforms in requirements.platforms, with manifest_version "3".',
  stage1: 3,
  *check(document) {
    if (document.app === null || under(appSetting(document, 'requirements')?.value, 'os_version') !== undefined) return
    yield { part: 'app-compose', pointer: '/requirements', at: null, message: 'it does not say which guest images it is for' }
  },
}
