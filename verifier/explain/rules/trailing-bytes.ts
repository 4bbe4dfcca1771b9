import type { ArchiveRule } from '../rule.ts'

export const trailingBytes = {
  id: 'trailing-bytes',
  severity: 'warn',
  text: 'There are bytes behind the end of an archive, which readers pass over and digests do not.',
  remedy: 'Write the archive without them; nothing in mkosi does this by itself.',
  explain: ({ trailingBytes: bytes }) =>
    bytes !== undefined && (bytes.left > 0 || bytes.right > 0) ? [`${bytes.left} and ${bytes.right} bytes`] : null,
} satisfies ArchiveRule
