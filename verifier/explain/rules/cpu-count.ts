import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const cpuCount = {
  id: 'cpu-count',
  severity: 'warn',
  samples: 'path',
  text: 'The number of processors of the build machine is written into the file.',
  remedy: 'Give the build a fixed number of jobs instead of nproc, or keep the number out of the file.',
  explain: bySignal('cpu-count'),
} satisfies PathRule
