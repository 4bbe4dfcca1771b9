import { bindMounts } from '../bind-mounts.ts'
import { againstCompose, type ComposeRule } from '../compose-rule.ts'

/** Where the guest answers for itself: what these say is signed by the hardware. */
const AGENTS = ['/var/run/dstack.sock', '/run/dstack.sock', '/var/run/tappd.sock', '/run/tappd.sock']
/** Elsewhere lies what the guest consists of: its programs, its keys, the environment that was sent encrypted. */
const OWN = /^\/(?:$|bin|boot|dev|dstack|etc|home|lib|lib64|opt|proc|root|run|sbin|sys|tapp|usr|var)(?:\/|$)/

export const guestFolder: ComposeRule = {
  id: 'guest-folder',
  severity: 'deny',
  why: 'A folder of the guest puts files into the container that are part of no image, and lets the container change the guest.',
  remedy: 'Use a volume with a name. The sockets of the guest agent may be mounted (/var/run/dstack.sock).',
  stage1: 7,
  *check(document) {
    for (const { source, node, pointer } of bindMounts(document)) {
      if (AGENTS.includes(source)) continue
      if (OWN.test(source))
        yield againstCompose(pointer, node, 'a folder of the guest itself is given to a container', { evidence: [source] })
      else yield againstCompose(pointer, node, 'files of the guest are given to a container', { evidence: [source], severity: 'warn' })
    }
  },
}
