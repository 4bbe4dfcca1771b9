import type { Assignment, Condition, RecipeConfig } from './config.ts'
import { MATCH_SECTIONS } from './settings/all.ts'

/** Settings that a recipe states once for all its images, so that a condition on them can be judged by reading. */
const JUDGED = ['Distribution', 'Release', 'Architecture']

/**
 * Config files with a condition that plainly does not hold, such as Distribution=fedora in a recipe for Debian. For what a page shows
 * of a recipe, and for rules about what the builder supports. Rules that guard the builder take every condition to hold.
 */
export function filesThatDoNotMatch(config: RecipeConfig): ReadonlySet<string> {
  const stated = new Map(JUDGED.map((name) => [name, statedValue(config, name)]))
  // Where a line begins with a pipe, one of several has to hold: not judged.
  const triggered = new Set(
    config.conditions.filter(({ section, value }) => section !== 'Match' || value.startsWith('|')).map(({ file }) => file),
  )
  const fails = ({ section, name, value }: Condition): boolean => {
    const known = stated.get(name)
    if (!MATCH_SECTIONS.has(section) || known === undefined || known === null || value.includes('%')) return false
    return value.startsWith('!') ? value.slice(1) === known : value !== known
  }
  return new Set(config.conditions.flatMap((condition) => (!triggered.has(condition.file) && fails(condition) ? [condition.file] : [])))
}

/** Those of a setting's assignments that no condition plainly switches off. */
export function assignedUnlessOff(config: RecipeConfig, name: string): Assignment[] {
  const off = filesThatDoNotMatch(config)
  return config.assignments.filter(({ setting, guards }) => setting?.name === name && !guards.some((file) => off.has(file)))
}

/** The one value that a setting has in the whole recipe; null where it has none or several. */
function statedValue(config: RecipeConfig, name: string): string | null {
  const values = new Set(config.assignments.flatMap(({ setting, value }) => (setting?.name === name && value !== '' ? [value] : [])))
  const [value] = values
  return values.size === 1 ? (value ?? null) : null
}
