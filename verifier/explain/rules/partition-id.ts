import type { RuleText } from '../rule.ts'

/** Found by the reader of the format that it is about. */
export const partitionId = {
  id: 'partition-id',
  severity: 'warn',
  text: 'The id of the disk or of a partition was drawn at random.',
  remedy: 'Set Seed= in [Output]: systemd-repart derives all ids from it.',
} satisfies RuleText
