import { bindMounts } from '../bind-mounts.ts'
import { againstCompose, type ComposeRule, settingsOf } from '../compose-rule.ts'
import { isOn } from '../located.ts'

const SOCKET = /(?:^|\/)(?:docker|containerd|podman|crio|buildkitd)[^/]*\.sock$/

export const engineSocket: ComposeRule = {
  id: 'engine-socket',
  severity: 'deny',
  why: 'Whoever can speak to the container engine is root on the guest, and starts whatever it likes beside the attested image.',
  remedy: 'Do without it: the app’s containers are all in the Compose file.',
  stage1: 7,
  *check(document) {
    for (const { source, node, pointer } of bindMounts(document))
      if (SOCKET.test(source))
        yield againstCompose(pointer, node, 'the socket of the container engine is given to a container', { evidence: [source] })
    for (const { entry, pointer } of settingsOf(document, 'use_api_socket'))
      if (isOn(entry.value) !== false) yield againstCompose(pointer, entry.value, 'the container engine is given to a container')
  },
}
