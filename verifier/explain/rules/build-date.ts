import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const buildDate = {
  id: 'build-date',
  severity: 'warn',
  samples: 'path',
  text: 'A date or time of the build is written into the file.',
  remedy:
    'Make the program that writes it honour SOURCE_DATE_EPOCH, which mkosi sets from SourceDateEpoch=, or remove the file with RemoveFiles=.',
  explain: bySignal('date'),
} satisfies PathRule
