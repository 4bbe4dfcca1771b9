import { z } from 'zod'
import { Failure, firstFailure } from '../../verifier/model/failure.ts'
import { isAbort } from './exit-code.ts'

export const ERROR_SCHEMA = 'bitwitness/error/v1'

/** What --json prints where there is no answer. */
export const ErrorDocument = z.strictObject({
  schema: z.literal(ERROR_SCHEMA),
  verdict: z.null(),
  /** Stable, listed in docs/errors.md. */
  code: z.string(),
  message: z.string(),
  /** What to do. */
  hint: z.string(),
})
export type ErrorDocument = z.infer<typeof ErrorDocument>

const DISK_FULL = new Failure({
  code: 'disk-full',
  message: 'the disk of this machine is full',
  hint: 'make room where BITWITNESS_HOME and the output folder are, and run it again',
})

/** Says an error in our words. What is not a failure of ours keeps its text to itself: it could hold a secret or a stranger's words. */
export function errorDocument(thrown: unknown): ErrorDocument {
  const error = firstFailure(thrown)
  const said = (code: string, message: string, hint: string): ErrorDocument => ({
    schema: ERROR_SCHEMA,
    verdict: null,
    code,
    message,
    hint,
  })
  if (isAbort(error)) return said('cancelled', 'interrupted', 'run it again: what was fetched is kept')
  if (error instanceof Failure) return said(error.code, error.message, error.hint)
  if (errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT') return said(DISK_FULL.code, DISK_FULL.message, DISK_FULL.hint)
  return said('internal', 'something went wrong inside bitwitness', 'this is a defect: report it with what you ran')
}

function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null | undefined)?.code
}
