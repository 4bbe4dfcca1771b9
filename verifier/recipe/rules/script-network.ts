import { against, assigned, type Rule } from '../rule.ts'

export const scriptNetwork: Rule = {
  id: 'script-network',
  severity: 'warn',
  text: "mkosi leaves the network on for sync and prepare scripts. The builder has none but its package proxy, which serves only the archives' own files: a script that fetches anything else fails.",
  remedy: 'Vendor what the script fetches, pinned by hash, or install it as a package.',
  *check(config) {
    for (const assignment of assigned(config, 'SyncScripts', 'PrepareScripts'))
      if (assignment.value !== '') yield against(assignment, 'a script may expect a network')
  },
}
