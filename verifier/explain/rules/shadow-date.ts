import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const shadowDate = {
  id: 'shadow-date',
  severity: 'warn',
  samples: 'path',
  text: 'The day of the last password change in etc/shadow is the day of the build.',
  remedy: 'Set SourceDateEpoch=, which passwd and useradd honour, or fix the field in a finalize script.',
  explain: bySignal('password-date'),
} satisfies PathRule
