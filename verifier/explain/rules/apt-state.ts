import { NOTHING_MORE, type PathRule } from '../rule.ts'

const PATHS = /^var\/(?:lib\/apt\/(?:lists|periodic|extended_states|mirrors)|cache\/(?:apt|debconf)\/)/

export const aptState = {
  id: 'apt-state',
  severity: 'warn',
  samples: 'path',
  text: 'Lists and caches of apt depend on when and from where they were fetched.',
  remedy: 'CleanPackageMetadata=yes, or RemoveFiles=/var/lib/apt/lists,/var/cache/apt,/var/cache/debconf',
  explain: ({ path }) => (PATHS.test(path) ? NOTHING_MORE : null),
} satisfies PathRule
