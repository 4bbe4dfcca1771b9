import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const gzipHeaderTime = {
  id: 'gzip-header-time',
  severity: 'warn',
  samples: 'path',
  text: 'The time of the build stands in a gzip header.',
  remedy: 'Compress with gzip -n, or with mtime=0 in Python, in the script that writes the file.',
  explain: bySignal('gzip-time'),
} satisfies PathRule
