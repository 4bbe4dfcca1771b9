import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const innerCompression = {
  id: 'inner-compression',
  severity: 'warn',
  samples: 'path',
  text: 'A compressed file is equal when unpacked: another version, level or thread count of the compressor wrote it.',
  remedy: 'Take the compressor from the same builder (same builder digest) with a fixed level, or do not compress inside the image.',
  explain: bySignal('recompressed'),
} satisfies PathRule
