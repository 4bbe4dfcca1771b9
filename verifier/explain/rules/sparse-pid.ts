import type { ArchiveRule } from '../rule.ts'

export const sparsePid = {
  id: 'sparse-pid',
  severity: 'info',
  text: 'GNU tar writes its process id into the headers of sparse files (GNUSparseFile.PID).',
  remedy: 'Keep sparse files out of the image: fill them (cp --sparse=never) in a finalize script, or remove them.',
  explain: ({ transformations, sparse }) => (sparse === true && transformations.includes('tar-encoding') ? [] : null),
} satisfies ArchiveRule
