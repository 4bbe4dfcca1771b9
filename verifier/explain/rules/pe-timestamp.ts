import type { RuleText } from '../rule.ts'

/** Found by the reader of the format that it is about. */
export const peTimestamp = {
  id: 'pe-timestamp',
  severity: 'warn',
  text: 'The time of the build stands in a PE header.',
  remedy: 'Set SourceDateEpoch= and use a builder whose linker and ukify honour SOURCE_DATE_EPOCH.',
} satisfies RuleText
