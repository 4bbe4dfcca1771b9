import { NOTHING_MORE, type PathRule } from '../rule.ts'

const PATHS = /^var\/log\/alternatives\.log/

export const alternativesLog = {
  id: 'alternatives-log',
  severity: 'warn',
  samples: 'path',
  text: 'update-alternatives logs the time of the build.',
  remedy: 'RemoveFiles=/var/log/alternatives.log',
  explain: ({ path }) => (PATHS.test(path) ? NOTHING_MORE : null),
} satisfies PathRule
