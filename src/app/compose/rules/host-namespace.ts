import { againstCompose, type ComposeRule, settingsOf } from '../compose-rule.ts'
import { textOf } from '../located.ts'

export const hostNamespace: ComposeRule = {
  id: 'host-namespace',
  severity: 'deny',
  why: 'In a namespace of the guest a container sees, and can reach, what is not its own: its processes, its network with the guest agent behind it.',
  remedy: 'Leave these settings out, and name ports.',
  stage1: 7,
  *check(document) {
    for (const { entry, pointer } of settingsOf(document, 'network_mode', 'pid', 'ipc', 'uts', 'userns_mode', 'cgroup')) {
      const mode = textOf(entry.value)
      if (mode === 'host' || mode === undefined)
        yield againstCompose(pointer, entry.value, `${entry.key} is the guest’s own`, { at: entry.keyAt })
      else if (mode.startsWith('container:'))
        yield againstCompose(pointer, entry.value, `${entry.key} is of a container that is not in the file`, {
          at: entry.keyAt,
          evidence: [mode],
        })
    }
  },
}
