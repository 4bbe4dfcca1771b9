import type { RuleText } from '../rule.ts'

/** Found by the reader of the format that it is about. */
export const fatTime = {
  id: 'fat-time',
  severity: 'warn',
  text: 'Times of files in a FAT file system are those of the build: mkosi copies files into an ESP with the current time.',
  remedy: 'mkosi has no setting for it: claim the UKI (Format=uki) instead of the ESP.',
} satisfies RuleText
