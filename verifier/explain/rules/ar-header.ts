import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const arHeader = {
  id: 'ar-header',
  severity: 'warn',
  samples: 'path',
  text: 'Members of a static library carry time, owner or mode of the build.',
  remedy: 'Create it with ar D (deterministic mode), or remove static libraries with RemoveFiles=.',
  explain: bySignal('ar-header'),
} satisfies PathRule
