import type { Aspect } from '../../model/explanation.ts'
import type { PathRule } from '../rule.ts'

/** Written by maintainer scripts and programs, though no package owns them. */
const GENERATED =
  /^(?:var\/(?:cache|lib|log|mail|spool|backups)\/|etc\/(?:passwd|group|gshadow|shadow|subuid|subgid)-?$|etc\/(?:ld\.so\.cache|alternatives\/))/
const OWN: readonly Aspect[] = ['entry', 'type', 'content', 'size', 'link', 'mode', 'xattr', 'device']

export const contentChanged = {
  id: 'content-changed',
  severity: 'warn',
  samples: 'path',
  text: 'A file that no package owns differs: it comes from the recipe (extra trees, scripts, what they fetch or build).',
  remedy: 'Compare the recipes’ commits; make scripts write the same bytes every time and take what they need from the source.',
  explain: ({ ownersKnown, owner, path }) =>
    ownersKnown && owner === null && !GENERATED.test(path) ? { aspects: OWN, evidence: null } : null,
} satisfies PathRule
