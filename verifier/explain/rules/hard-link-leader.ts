import type { ArchiveRule } from '../rule.ts'

export const hardLinkLeader = {
  id: 'hard-link-leader',
  severity: 'info',
  text: 'Another name of a hard-linked file holds its content; this follows from the order of members.',
  remedy: 'As for member-order.',
  explain: ({ transformations }) => (transformations.includes('hard-link-leader') ? [] : null),
} satisfies ArchiveRule
