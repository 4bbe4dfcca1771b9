import type { Rule } from './issuer-config.ts'
import type { JobClaims } from './job-claims.ts'

/** The first rule that a job keeps all of; undefined where there is none, and then it may nothing. */
export function matchingRule(rules: readonly Rule[], job: JobClaims): Rule | undefined {
  return rules.find(
    ({ repositories, ownerId, refs, environments }) =>
      repositories.some((pattern) => matches(pattern, job.repository)) &&
      (ownerId === undefined || ownerId === job.ownerId) &&
      (refs === undefined || refs.some((pattern) => matches(pattern, job.ref))) &&
      (environments === undefined || (job.environment !== null && environments.some((pattern) => matches(pattern, job.environment ?? '')))),
  )
}

/** `*` stands for anything but a slash, `**` for anything, everything else for itself. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern
    .split(/(\*+)/)
    .map((part) => (part === '*' ? '[^/]*' : part === '**' ? '.*' : part.replaceAll(/[^A-Za-z0-9_/-]/g, String.raw`\$&`)))
  return new RegExp(`^${parts.join('')}$`, 's').test(text)
}
