import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const processId = {
  id: 'process-id',
  severity: 'warn',
  samples: 'path',
  text: 'The id of a process is written into the file.',
  remedy: 'Remove the file with RemoveFiles= or keep the id out of it in a finalize script.',
  explain: bySignal('process-id'),
} satisfies PathRule
