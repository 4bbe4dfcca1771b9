import { assigned, type Rule } from '../rule.ts'
import { splitValue } from '../values.ts'

/** Written by Debian's packages with times and inode numbers of the build in them. */
const LEFT = ['/var/cache/ldconfig/aux-cache', '/var/log/alternatives.log']

export const removeFiles: Rule = {
  id: 'remove-files',
  severity: 'info',
  text: "Debian's packages leave files that differ in every build: the cache of ldconfig and the log of alternatives, at the least.",
  remedy: `Write RemoveFiles=${LEFT.join(',')}`,
  *check(config, facts) {
    if (facts.distribution === 'custom' || config.main === null) return
    const globs = assigned(config, 'RemoveFiles').flatMap(({ value }) =>
      splitValue('inside', value).map((glob) => `/${glob.replace(/^\/+/, '')}`),
    )
    const missing = LEFT.filter((file) => !globs.some((glob) => covers(glob, file)))
    if (missing.length > 0)
      yield { path: config.main, line: null, message: 'files that differ in every build are not removed', evidence: missing }
  },
}

/** Whether a glob removes a file, itself or with a folder above it. */
function covers(glob: string, file: string): boolean {
  const pattern = glob.split('/').map((part) =>
    part === '**'
      ? '.*'
      : part
          .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
          .replaceAll('*', '[^/]*')
          .replaceAll('?', '[^/]'),
  )
  return pattern.length < 64 && new RegExp(`^${pattern.join('/')}(/|$)`).test(file)
}
