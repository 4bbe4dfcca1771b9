import { NOTHING_MORE, type PathRule } from '../rule.ts'

const PATHS = /^var\/cache\/ldconfig\/aux-cache$/

export const ldconfigAuxCache = {
  id: 'ldconfig-aux-cache',
  severity: 'warn',
  samples: 'path',
  text: 'ldconfig keeps times and inode numbers of the build in its auxiliary cache.',
  remedy: 'RemoveFiles=/var/cache/ldconfig/aux-cache',
  explain: ({ path }) => (PATHS.test(path) ? NOTHING_MORE : null),
} satisfies PathRule
