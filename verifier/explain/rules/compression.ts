import type { ArchiveRule } from '../rule.ts'

export const compression = {
  id: 'compression',
  severity: 'info',
  text: 'The artifacts are compressed differently; compressed bytes change with version, level and threads of the compressor.',
  remedy: 'Claim the uncompressed artifact (CompressOutput=none).',
  explain: ({ transformations, compression: names }) => {
    if (names !== undefined) return [`${names.left} → ${names.right}`]
    return transformations.includes('compression') ? [] : null
  },
} satisfies ArchiveRule
