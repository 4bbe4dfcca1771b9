import { ANY, type PathRule } from '../rule.ts'

const PATHS = /^var\/lib\/(?:dpkg|ucf|pam|systemd\/deb-systemd-[^/]*)(?:\/|$)/

export const dpkgDatabase = {
  id: 'dpkg-database',
  severity: 'info',
  samples: 'path',
  text: 'The records of dpkg follow from the packages that differ.',
  remedy: 'Nothing of its own: see package-drift.',
  explain: ({ path, anyDrift }) => (anyDrift && PATHS.test(path) ? { aspects: ANY, evidence: null } : null),
} satisfies PathRule
