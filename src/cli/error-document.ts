import { z } from 'zod'
import { Failure, firstFailure } from '../../verifier/model/failure.ts'
import { NO_MIRROR } from '../../verifier/model/no-mirror.ts'
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
  if (error instanceof Failure) return said(error.code, error.message, hintOf(error))
  if (errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT') return said(DISK_FULL.code, DISK_FULL.message, DISK_FULL.hint)
  return said('internal', 'something went wrong inside bitwitness', 'this is a defect: report it with what you ran')
}

const ALLOW = 'BITWITNESS_SOURCES_ALLOW=local-repositories, plain-http or private-hosts allows it'

/** The settings that allow what is refused otherwise, which the layers below know nothing of. */
const SETTINGS: Readonly<Record<string, string>> = {
  'source-protocol': ALLOW,
  'source-host-private': ALLOW,
  'download-plain-http': ALLOW,
  'download-host-private': ALLOW,
}

/** What to do about a failure, with the setting to do it by where there is one. */
export function hintOf({
  code,
  hint,
  message,
  data = {},
}: Pick<Failure, 'code' | 'hint' | 'message'> & Partial<Pick<Failure, 'data'>>): string {
  // What a service refuses is its operator's to allow.
  if ('answered' in data) return hint
  const setting = SETTINGS[code] ?? mirrorSetting(message)
  return setting === null ? hint : `${hint}; ${setting}`
}

/** What names mirrors, where a message says that none is known; null for any other message. */
export function mirrorSetting(message: string): string | null {
  return message.includes(NO_MIRROR)
    ? 'BITWITNESS_SNAPSHOT_MIRROR names the mirror of dated states, as --snapshot and locks ask for, BITWITNESS_MIRRORS those of today'
    : null
}

function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null | undefined)?.code
}
