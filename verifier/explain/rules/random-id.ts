import { type PathRule, WRITTEN } from '../rule.ts'
import { bySignal } from './by-signal.ts'

const PATHS =
  /^(?:etc\/(?:machine-id|hostid)|var\/lib\/(?:dbus\/machine-id|systemd\/(?:random-seed|credential\.secret)|urandom\/random-seed|ucf\/[^/]*-uuid))$/
const inContent = bySignal('id')

export const randomId = {
  id: 'random-id',
  severity: 'warn',
  samples: 'path',
  text: 'A random identifier or seed was made during the build.',
  remedy: 'Fix it (MachineId= or an empty etc/machine-id, Seed=) or remove the file with RemoveFiles= so that it is made at first boot.',
  explain: (evidence) => (PATHS.test(evidence.path) ? { aspects: WRITTEN, evidence: null } : inContent(evidence)),
} satisfies PathRule
