import type { Context } from '../context.ts'

/** What stands behind the commands. */
export type UseCases = Pick<
  Context,
  | 'build'
  | 'check'
  | 'doctor'
  | 'exportBuilder'
  | 'exportProof'
  | 'importBuilder'
  | 'listBuilders'
  | 'makeBuilder'
  | 'readBlob'
  | 'showBuilder'
  | 'verify'
  | 'verifyProof'
  | typeof Symbol.asyncDispose
>
