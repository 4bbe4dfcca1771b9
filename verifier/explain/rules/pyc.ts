import { CONTENT, type PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

const PATHS = /(?:\.pyc|\/__pycache__)$/
const inContent = bySignal('pyc-time')

export const pyc = {
  id: 'pyc',
  severity: 'warn',
  samples: 'path',
  text: 'Python compiled a file during the build: its header holds the time of the source, or the compiled code differs from run to run.',
  remedy:
    'RemoveFiles= the __pycache__ folders, or compile in one process with sources of fixed times (SourceDateEpoch=, --invalidation-mode=checked-hash).',
  explain: (evidence) => {
    const { kind, path, aspects, owner } = evidence
    if (!PATHS.test(path)) return null
    if (kind !== 'changed') return { aspects: ['entry'], evidence: 'compiled on one side only' }
    if (!aspects.has('content')) return null
    const byTime = inContent(evidence)
    if (byTime !== null && byTime.aspects.length > 0) return byTime
    // Python's marshalling depends on how often an object was in use: the same source can yield other bytes.
    return owner === null ? { aspects: CONTENT, evidence: byTime?.evidence ?? 'compiled code differs' } : byTime
  },
} satisfies PathRule
