import type { Decision } from './decision.ts'
import { GUEST } from './gate-rule.ts'

/** How an app-compose and its images stand with a policy. */
export type StandingResult = 'passed' | 'failed'

/**
 * What a decision comes to without what was said of a guest: whoever asks a webhook needs no token and can say anything of one, so that a
 * statement about an app-compose may not rest on it. By the rules alone, whether the policy enforces or observes.
 */
export function standingResult({ rules }: Pick<Decision, 'rules'>): StandingResult {
  return rules.some(({ result, subject }) => result === 'fail' && subject !== GUEST) ? 'failed' : 'passed'
}
