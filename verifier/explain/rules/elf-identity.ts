import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const elfIdentity = {
  id: 'elf-identity',
  severity: 'warn',
  samples: 'path',
  text: 'A binary differs only in what identifies its build, such as the build id: it was built from other, though equally compiled, input.',
  remedy: 'Make build paths and times constant (-ffile-prefix-map=, SOURCE_DATE_EPOCH), or link with --build-id=none.',
  explain: bySignal('elf-identity'),
} satisfies PathRule
