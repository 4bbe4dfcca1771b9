import type { Policy } from './policy.ts'

/** Of a TDX platform, as Intel words them (PCS API, tcbStatus). What anybody else sends may be any text, and is not repeated. */
const STATES: readonly string[] = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
]

/** Why a state of the platform denies: what it is, and what the policy takes. */
export function stateRefused({ statuses }: NonNullable<Policy['tcb']>, status: string): string {
  const is = STATES.includes(status) ? status : 'none that is known'
  return `the policy does not take this state of the platform: it is ${is}, and the policy takes ${statuses.join(', ')}`
}
