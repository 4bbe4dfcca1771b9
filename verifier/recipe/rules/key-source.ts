import { against, assigned, type Rule } from '../rule.ts'

const SOURCES = ['SecureBoot', 'Verity', 'SignExpectedPcr'].flatMap((name) => [`${name}KeySource`, `${name}CertificateSource`])

export const keySource: Rule = {
  id: 'key-source',
  severity: 'refuse',
  text: 'An OpenSSL engine or provider is a library that is loaded into the tools that sign.',
  remedy: 'Remove the setting; sign outside the build.',
  *check(config) {
    for (const assignment of assigned(config, ...SOURCES))
      if (assignment.value !== '' && assignment.value !== 'file') yield against(assignment, 'a library is loaded to sign with')
  },
}
