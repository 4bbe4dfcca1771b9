import { NOTHING_MORE, type PathRule } from '../rule.ts'

const PATHS = /^var\/log\/(?:dpkg\.log|apt(?:\/|$)|bootstrap\.log|apt-listchanges)/

export const aptDpkgLogs = {
  id: 'apt-dpkg-logs',
  severity: 'warn',
  samples: 'path',
  text: 'apt and dpkg log times of the build.',
  remedy: 'RemoveFiles=/var/log/dpkg.log,/var/log/apt,/var/log/bootstrap.log',
  explain: ({ path }) => (PATHS.test(path) ? NOTHING_MORE : null),
} satisfies PathRule
