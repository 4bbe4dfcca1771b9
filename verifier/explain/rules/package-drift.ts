import { ANY, type PathRule } from '../rule.ts'

export const packageDrift = {
  id: 'package-drift',
  severity: 'warn',
  samples: 'evidence',
  text: 'Packages differ in version or presence: the builds took them from an archive that had moved on.',
  remedy: 'Build from the same input lock, or pin Snapshot= (mkosi 26 and later) or Mirror= to one point in time.',
  explain: ({ drift }) =>
    drift === null ? null : { aspects: ANY, evidence: `${drift.name} ${drift.left ?? 'absent'} → ${drift.right ?? 'absent'}` },
} satisfies PathRule
