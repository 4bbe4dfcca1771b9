import type { PathRule } from '../rule.ts'

export const folderTime = {
  id: 'folder-time',
  severity: 'info',
  samples: 'path',
  text: 'The time of a folder follows from the packages that differ: the last one that was unpacked into it set it.',
  remedy: 'Nothing of its own: see package-drift.',
  explain: ({ anyDrift, aspects, left, right }) =>
    anyDrift && left?.type === 'd' && right?.type === 'd' && aspects.has('mtime') ? { aspects: ['mtime'], evidence: null } : null,
} satisfies PathRule
