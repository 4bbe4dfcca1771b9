import { against, assigned, type Rule } from '../rule.ts'
import { splitValue } from '../values.ts'

const LISTS = ['Packages', 'BuildPackages', 'VolatilePackages', 'RemovePackages', 'InitrdPackages', 'InitrdVolatilePackages']
const PLAIN = /^[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?([=/][A-Za-z0-9][A-Za-z0-9.+:~-]*)?$/

export const packageArgument: Rule = {
  id: 'package-argument',
  severity: 'refuse',
  text: "Package names are arguments of apt's. One that begins with a dash is an option, by which a recipe could turn signatures off; one with a slash is a file.",
  remedy: 'Name packages, or packages with a version (name=1.2-3).',
  *check(config) {
    for (const assignment of assigned(config, ...LISTS)) {
      for (const name of splitValue('list', assignment.value)) {
        if (/^\s*[-+@]/.test(name)) yield against(assignment, 'an option for apt stands among the packages')
        else if (/^[./~]|\.deb$|\.(changes|dsc)$/.test(name)) yield against(assignment, 'a file stands among the packages')
        else if (name.includes('%')) yield against(assignment, 'what package is meant depends on a specifier')
        else if (!PLAIN.test(name)) yield against(assignment, 'apt takes this for a pattern or several packages', 'warn')
      }
    }
  },
}
