import { assignedUnlessOff } from '../conditions.ts'
import { against, type Rule } from '../rule.ts'

/** What the builder has sources for. */
const RELEASES = ['bookworm', 'trixie', 'forky', 'sid']

export const releaseUnsupported: Rule = {
  id: 'release-unsupported',
  severity: 'refuse',
  text: 'The builder has the archives of some releases of Debian, by their names. A word like stable means another release every two years.',
  remedy: `Write Release= with one of ${RELEASES.join(', ')}.`,
  *check(config, facts) {
    for (const assignment of assignedUnlessOff(config, 'Release')) {
      const { value } = assignment
      if (value === '' || RELEASES.includes(value)) continue
      // Nothing is fetched for a custom image, but mkosi puts the word into names of files.
      if (facts.distribution === 'custom' && /^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/.test(value)) continue
      yield against(assignment, 'the builder has no such release')
    }
  },
}
