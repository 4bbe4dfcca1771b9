import type { SourceAllowance } from './settings.ts'

/** What the user of a command line may name as a source, or as a place to fetch from: this machine's files, and what the settings allow. */
export function sourceAccess(allowed: readonly SourceAllowance[]) {
  return {
    files: true,
    localRepositories: allowed.includes('local-repositories'),
    plainHttp: allowed.includes('plain-http'),
    privateHosts: allowed.includes('private-hosts'),
  }
}
