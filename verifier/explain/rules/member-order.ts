import type { ArchiveRule } from '../rule.ts'

export const memberOrder = {
  id: 'member-order',
  severity: 'info',
  text: 'Members of the archive stand in another order: mkosi writes them in the order of the workspace’s file system.',
  remedy: 'Build with the workspace on tmpfs (WorkspaceDirectory=), or compare in canonical form; `bitwitness build` sorts members.',
  explain: ({ transformations }) => (transformations.includes('tar-member-order') ? [] : null),
} satisfies ArchiveRule
