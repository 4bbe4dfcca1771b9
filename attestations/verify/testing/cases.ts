import { BUNDLES } from './cases/bundle.ts'
import { ENVELOPE } from './cases/envelope.ts'
import { GOOD } from './cases/good.ts'
import { LOG } from './cases/log.ts'
import { SIGNERS } from './cases/signer.ts'
import { STATEMENTS } from './cases/statement.ts'
import { TIME } from './cases/time.ts'
import type { InteropCase } from './interop-case.ts'

/** Every case, in the order of the table. */
export const CASES: Readonly<Record<string, InteropCase>> = {
  ...GOOD,
  ...BUNDLES,
  ...ENVELOPE,
  ...SIGNERS,
  ...TIME,
  ...LOG,
  ...STATEMENTS,
}
