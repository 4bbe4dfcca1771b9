import type { RuleText } from '../rule.ts'

/** Found by the reader of the format that it is about. */
export const filesystemId = {
  id: 'filesystem-id',
  severity: 'warn',
  text: 'The UUID or volume id of a file system was drawn at random.',
  remedy: 'Set Seed= in [Output]: systemd-repart derives all ids from it.',
} satisfies RuleText
