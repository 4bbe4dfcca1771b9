import { assigned, type Rule } from '../rule.ts'

export const rootPassword: Rule = {
  id: 'root-password',
  severity: 'warn',
  text: 'mkosi salts a plain password anew in every build, so that the image differs; and a password in a source is known to everybody.',
  remedy: 'Remove it, or write RootPassword=hashed: with a hash of its own salt.',
  *check(config) {
    for (const assignment of assigned(config, 'RootPassword')) {
      const value = assignment.value.trim()
      if (value === '') continue
      const message = value.startsWith('hashed:')
        ? 'root has a password that the source gives away to who tries'
        : 'a plain password is salted anew in every build'
      // The value itself stays out of reports.
      yield { path: assignment.file, line: assignment.line, message, severity: value.startsWith('hashed:') ? 'info' : 'warn' }
    }
  },
}
