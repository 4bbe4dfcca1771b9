import type { Rule } from '../rule.ts'

export const matchHost: Rule = {
  id: 'match-host',
  severity: 'warn',
  text: 'A condition asks about the machine that builds, so that two machines may build two images from one recipe.',
  remedy: "Match on the image's own settings, such as Architecture= or Profiles=.",
  *check(config) {
    for (const { file, line, name, value } of config.conditions) {
      const path = value.replace(/^\|?!?/, '')
      const host =
        name === 'HostArchitecture' || name === 'SystemdVersion' || (name === 'PathExists' && /^[/~]|\$|(^|\/)\.\.(\/|$)|%O/.test(path))
      if (host) yield { path: file, line, message: 'a condition asks about the machine that builds', evidence: [`${name}=${value}`] }
    }
  },
}
