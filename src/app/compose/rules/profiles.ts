import { againstCompose, type ComposeRule, settingsOf } from '../compose-rule.ts'

export const profiles: ComposeRule = {
  id: 'profiles',
  severity: 'warn',
  why: 'A service with a profile starts only where somebody asks for it: by a variable from outside, that is.',
  remedy: 'Take the service out, or let it always start.',
  stage1: 7,
  *check(document) {
    for (const { entry, pointer } of settingsOf(document, 'profiles'))
      yield againstCompose(pointer, entry.value, 'whether the service starts is not said here', { at: entry.keyAt })
  },
}
