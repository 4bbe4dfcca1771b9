import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const zipMemberTime = {
  id: 'zip-member-time',
  severity: 'warn',
  samples: 'path',
  text: 'Members of a zip file (jar, wheel) carry the time of the build.',
  remedy: 'Set fixed times before packing (touch -d @$SOURCE_DATE_EPOCH; zip -X), or let the build tool honour SOURCE_DATE_EPOCH.',
  explain: bySignal('zip-time'),
} satisfies PathRule
