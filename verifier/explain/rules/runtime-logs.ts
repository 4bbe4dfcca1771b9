import { NOTHING_MORE, type PathRule } from '../rule.ts'

const PATHS =
  /^(?:var\/log\/(?:journal\/|wtmp|btmp|lastlog|faillog|syslog|messages|kern\.log|daemon\.log)|root\/\.(?:bash_history|wget-hsts|cache\/)|tmp\/|var\/tmp\/)/

export const runtimeLogs = {
  id: 'runtime-logs',
  severity: 'warn',
  samples: 'path',
  text: 'A log or journal of the build is in the image.',
  remedy: 'RemoveFiles= for the log, for instance /var/log/journal, /var/log/wtmp, /var/log/lastlog.',
  explain: ({ path }) => (PATHS.test(path) ? NOTHING_MORE : null),
} satisfies PathRule
