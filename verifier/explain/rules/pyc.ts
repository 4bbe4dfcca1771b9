import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

const PATHS = /(?:\.pyc|\/__pycache__)$/
const inContent = bySignal('pyc-time')

export const pyc = {
  id: 'pyc',
  severity: 'warn',
  samples: 'path',
  text: 'Python compiled a file during the build: its header holds the time of the source, or it was compiled in one build only.',
  remedy:
    'Set SourceDateEpoch= so that sources have fixed times, compile with --invalidation-mode=checked-hash, or RemoveFiles= the __pycache__ folders.',
  explain: (evidence) => {
    if (evidence.kind === 'changed') return inContent(evidence)
    return PATHS.test(evidence.path) ? { aspects: ['entry'], evidence: 'compiled on one side only' } : null
  },
} satisfies PathRule
