import type { RuleText } from '../rule.ts'

/** Found by the reader of the format that it is about. */
export const veritySalt = {
  id: 'verity-salt',
  severity: 'warn',
  text: 'The salt of a dm-verity tree was drawn at random.',
  remedy: 'Set Seed= in [Output] and use systemd-repart with Verity=, which derive the salt.',
} satisfies RuleText
