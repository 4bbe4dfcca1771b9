import type { ArchiveRule } from '../rule.ts'

export const tarEncoding = {
  id: 'tar-encoding',
  severity: 'info',
  text: 'The same members are written with other headers: another tar, or another version or format of it.',
  remedy: 'Use the same builder (same builder digest), or compare in canonical form.',
  explain: ({ transformations }) => (transformations.includes('tar-encoding') ? [] : null),
} satisfies ArchiveRule
