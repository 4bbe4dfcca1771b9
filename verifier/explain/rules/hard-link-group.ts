import type { PathRule } from '../rule.ts'

export const hardLinkGroup = {
  id: 'hard-link-group',
  severity: 'info',
  samples: 'path',
  text: 'Names that share one file on one side are files of their own on the other.',
  remedy: 'Write the image with one tool and file system: links survive mkosi’s own tar, not every copy.',
  explain: ({ aspects }) => (aspects.has('hard-link') ? { aspects: ['hard-link'], evidence: null } : null),
} satisfies PathRule
