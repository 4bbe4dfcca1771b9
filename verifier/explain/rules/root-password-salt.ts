import type { PathRule } from '../rule.ts'
import { bySignal } from './by-signal.ts'

export const rootPasswordSalt = {
  id: 'root-password-salt',
  severity: 'warn',
  samples: 'path',
  text: 'A password hash differs for the same account: mkosi salts a plain RootPassword= anew in every build.',
  remedy: 'Give RootPassword=hashed:HASH with a fixed hash.',
  explain: bySignal('password-hash'),
} satisfies PathRule
