import { NOTHING_MORE, type PathRule } from '../rule.ts'

const PATHS = /^etc\/ssh\/ssh_host_[^/]*$/

export const sshHostKeys = {
  id: 'ssh-host-keys',
  severity: 'warn',
  samples: 'path',
  text: 'The SSH server of the image had its host keys made during the build, so that every copy of the image shares secret keys.',
  remedy: 'RemoveFiles=/etc/ssh/ssh_host_* and let a unit make them at first boot (ssh-keygen -A).',
  explain: ({ path }) => (PATHS.test(path) ? NOTHING_MORE : null),
} satisfies PathRule
