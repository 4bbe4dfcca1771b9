import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const buildPath = {
  id: 'build-path',
  severity: 'warn',
  samples: 'path',
  text: 'The path of a build folder is written into the file.',
  remedy:
    'Build in a fixed folder ($BUILDDIR), map paths away (-ffile-prefix-map=, --remap-path-prefix, -trimpath), or leave the file out with RemoveFiles=.',
  explain: bySignal('build-path'),
} satisfies PathRule
