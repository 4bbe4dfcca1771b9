import { against, assigned, type Rule } from '../rule.ts'
import { judgePath } from '../specifiers.ts'
import { pathsIn } from '../values.ts'

export const secretInSource: Rule = {
  id: 'secret-in-source',
  severity: 'warn',
  text: 'A key, passphrase or credential lies in the source, where everybody who may verify it can read it. mkosi also stops at secrets that others may read, which files of a source are.',
  remedy: 'Remove it and replace it wherever it is in use; sign outside the build.',
  *check(config) {
    const settings = ['SecureBootKey', 'VerityKey', 'SignExpectedPcrKey', 'Passphrase', 'SshKey', 'Credentials', 'ProxyClientKey']
    for (const assignment of assigned(config, ...settings)) {
      if (assignment.setting?.shape === 'credentials' && assignment.value.includes('=')) {
        yield { path: assignment.file, line: assignment.line, message: 'a credential is written into the config' }
        continue
      }
      for (const path of pathsIn(assignment.setting?.shape ?? 'path', assignment.value)) {
        const { kind } = judgePath(config, assignment, path)
        if (kind === 'file' || kind === 'folder') yield against(assignment, 'a secret lies in the source')
      }
    }
  },
}
