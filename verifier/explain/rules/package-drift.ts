import { ANY, type PathRule } from '../rule.ts'

export const packageDrift = {
  id: 'package-drift',
  severity: 'warn',
  samples: 'evidence',
  text: 'Packages differ: on one side only where the recipes or what packages depend on differ, in version where the archive had moved on.',
  remedy:
    'On one side only: compare Packages= of the recipes. In version: build from the same input lock, or pin Snapshot= (mkosi 26 and later) or Mirror= to one point in time.',
  explain: ({ drift }) =>
    drift === null ? null : { aspects: ANY, evidence: `${drift.name} ${drift.left ?? 'absent'} → ${drift.right ?? 'absent'}` },
} satisfies PathRule
