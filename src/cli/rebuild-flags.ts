import type { FlagParametersForType } from '@stricli/core'
import { Failure } from '../../verifier/model/failure.ts'
import type { RebuildCommand } from '../app/rebuild.ts'
import type { CliContext, CliIo } from './cli-context.ts'
import { jsonFlag } from './command.ts'
import { showProgress } from './progress.ts'

/** Flags that every command which builds takes. */
export type RebuildFlags = {
  readonly json: boolean
  readonly verbose: boolean
  readonly attempts: number
  readonly lock?: string
  readonly inputs?: string
  readonly builder?: string
  readonly snapshot?: string
  readonly report?: string
}

const text = (value: string): string => value

export const rebuildFlags: FlagParametersForType<RebuildFlags, CliContext> = {
  ...jsonFlag,
  verbose: { kind: 'boolean', brief: 'Show the log of the build on stderr', default: false, withNegated: false },
  attempts: { kind: 'parsed', parse: parseAttempts, brief: 'How often to build', default: '2', placeholder: 'N' },
  lock: {
    kind: 'parsed',
    parse: text,
    brief: "Build with exactly the inputs of this lock, such as a publisher's",
    optional: true,
    placeholder: 'FILE',
  },
  inputs: {
    kind: 'parsed',
    parse: text,
    brief: "Take the lock's inputs from this archive instead of mirrors",
    optional: true,
    placeholder: 'FILE',
  },
  builder: {
    kind: 'parsed',
    parse: parseBuilder,
    brief: 'Build in this builder image: its digest, or the first 12 digits or more',
    optional: true,
    placeholder: 'sha256:…',
  },
  snapshot: {
    kind: 'parsed',
    parse: parseSnapshot,
    brief: 'State of the Debian archives to build from',
    optional: true,
    placeholder: 'YYYYMMDDThhmmssZ',
  },
  report: {
    kind: 'parsed',
    parse: text,
    brief: 'Write the whole document to this file as well, as --json prints it',
    optional: true,
    placeholder: 'FILE',
  },
}

/** Runs what builds, with its progress on stderr. */
export async function rebuilding<R>(
  io: CliIo,
  flags: RebuildFlags,
  source: string,
  run: (command: RebuildCommand) => Promise<R>,
): Promise<R> {
  const progress = showProgress(io, { verbose: flags.verbose })
  try {
    return await run({
      source,
      attempts: flags.attempts,
      lock: flags.lock ?? null,
      inputs: flags.inputs ?? null,
      builder: flags.builder ?? null,
      snapshot: flags.snapshot ?? null,
      signal: io.signal,
      emit: progress.emit,
    })
  } finally {
    progress.close()
  }
}

export function parseAttempts(value: string): number {
  if (/^[1-9]$/.test(value)) return Number(value)
  throw new Failure({ code: 'attempts-malformed', message: 'not a number of attempts', hint: 'give a number from 1 to 9' })
}

/** Without `sha256:`, as short as it was given. */
function parseBuilder(value: string): string {
  const [, digits] = /^(?:sha256:)?([0-9a-f]{12,64})$/.exec(value) ?? []
  if (digits !== undefined) return digits
  throw new Failure({
    code: 'builder-malformed',
    message: 'not the digest of a builder',
    hint: 'give its first 12 lower-case hexadecimal digits or more, as builder list shows them',
  })
}

function parseSnapshot(value: string): string {
  if (/^\d{8}T\d{6}Z$/.test(value)) return value
  throw new Failure({ code: 'snapshot-malformed', message: 'not the date of a snapshot', hint: 'write it as 20241201T000000Z' })
}
