import type { PathRule } from '../rule.ts'

export const sourceModes = {
  id: 'source-modes',
  severity: 'warn',
  samples: 'path',
  text: 'Permissions for group and others differ, as they do with another umask.',
  remedy:
    'Check the source out with umask 022 (git archive: git -c tar.umask=022), normalise modes of extra trees, run the builder with umask 022.',
  explain: ({ aspects, left, right }) => {
    if (!aspects.has('mode') || left === null || right === null || ((left.mode ^ right.mode) & ~0o077) !== 0) return null
    return { aspects: ['mode'], evidence: `${left.mode.toString(8).padStart(4, '0')} → ${right.mode.toString(8).padStart(4, '0')}` }
  },
} satisfies PathRule
