import type { RuleText } from '../rule.ts'

/** Found by the reader of the format that it is about. */
export const filesystemTime = {
  id: 'filesystem-time',
  severity: 'warn',
  text: 'The time of the build stands in the superblock of a file system.',
  remedy: 'Set SourceDateEpoch=, which mkfs programs honour (SOURCE_DATE_EPOCH), and use a builder whose mkfs does.',
} satisfies RuleText
