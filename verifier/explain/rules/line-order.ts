import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const lineOrder = {
  id: 'line-order',
  severity: 'warn',
  samples: 'path',
  text: 'The same lines stand in another order: a folder was listed, or a set was walked, unsorted or by a locale.',
  remedy: 'Sort in the script that writes the file (LC_ALL=C sort), not in the order of the file system.',
  explain: bySignal('line-order'),
} satisfies PathRule
