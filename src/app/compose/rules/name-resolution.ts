import { againstCompose, type ComposeRule, settingsOf } from '../compose-rule.ts'

export const nameResolution: ComposeRule = {
  id: 'name-resolution',
  severity: 'warn',
  why: 'Names that the app speaks to can lead elsewhere: it then speaks to another machine, over TLS only to one that has a certificate.',
  remedy: 'Leave names to the guest’s own resolver.',
  stage1: 6,
  *check(document) {
    for (const { entry, pointer } of settingsOf(document, 'dns', 'dns_search', 'dns_opt', 'extra_hosts'))
      yield againstCompose(pointer, entry.value, `${entry.key} changes where names lead`, { at: entry.keyAt })
  },
}
