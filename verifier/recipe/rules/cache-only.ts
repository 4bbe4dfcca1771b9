import { against, assigned, type Rule } from '../rule.ts'

export const cacheOnly: Rule = {
  id: 'cache-only',
  severity: 'warn',
  text: 'CacheOnly= leaves out the indexes of the archives, which the builder has to fetch: its cache is empty at the start of every build.',
  remedy: 'Remove CacheOnly=.',
  *check(config) {
    for (const assignment of assigned(config, 'CacheOnly'))
      if (!['', 'auto', 'none', 'never', 'no'].includes(assignment.value))
        yield against(assignment, 'packages are taken from a cache that is empty')
  },
}
