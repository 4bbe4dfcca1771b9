import { against, assigned, type Rule } from '../rule.ts'
import { mayBeOn, parseBoolean } from '../values.ts'

export const unsignedPackages: Rule = {
  id: 'unsigned-packages',
  severity: 'refuse',
  text: "LocalMirror= and RepositoryKeyCheck=no make apt install packages that Debian's archive did not sign.",
  remedy: "Remove the setting: the builder's own archives are signed, recorded and replayed.",
  *check(config) {
    for (const assignment of assigned(config, 'LocalMirror'))
      if (assignment.value !== '') yield against(assignment, 'a local mirror turns the check of signatures off')
    for (const assignment of assigned(config, 'RepositoryKeyCheck'))
      if (assignment.value !== '' && parseBoolean(assignment.value) !== true) yield against(assignment, 'the check of signatures is off')
    for (const assignment of assigned(config, 'RepositoryKeyFetch'))
      if (mayBeOn(assignment.value)) yield against(assignment, "the archives' keys would be fetched from the network")
  },
}
