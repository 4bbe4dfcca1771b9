import type { InputFailure } from '../builder/inputs/input-proxy.ts'
import type { SandboxEnd } from '../builder/sandbox.ts'
import type { LimitKind, Outcome, OutcomeReason } from '../model/attempt.ts'
import { Failure, firstFailure } from '../model/failure.ts'

export type Ending = { readonly outcome: Outcome; readonly limit: LimitKind | null; readonly reason: OutcomeReason | null }

const LIMIT_TEXT: Readonly<Record<LimitKind, string>> = {
  time: 'the build took longer than it may',
  memory: 'the build used more memory than it may',
  processes: 'the build started more processes than it may',
  disk: 'the build filled its workspace',
  'output-size': 'the build left more output than it may',
  'log-size': 'the build wrote more log than it may',
  network: 'the build asked for more from the network than it may',
}

/** How an attempt whose container ended without an output ended; undefined where there is an output to look at. */
export function endingOf(end: SandboxEnd, inputs: readonly InputFailure[]): Ending | undefined {
  switch (end.kind) {
    case 'cancelled':
      return { outcome: 'cancelled', limit: null, reason: null }
    case 'limit':
      return limited(end.limit)
    case 'source-rejected':
      return failed('infrastructure', 'source-rejected', 'the source could not be laid out in the container')
    case 'lost':
      return end.supervisorBroken
        ? failed('build-failed', 'supervisor-broken', 'what ran in the container broke the process that supervised it')
        : failed('infrastructure', 'container-lost', 'the container ended without a result')
    case 'finished':
      return end.exit === 0 ? missingInput(inputs, ['input-differs']) : (missingInput(inputs) ?? buildFailed(end.exit))
    default:
      return end satisfies never
  }
}

/**
 * A build that failed after an input could not be had did not fail by itself: the input is named. One that succeeded without it did not
 * need it, unless the bytes were not those of the lock.
 */
export function missingInput(inputs: readonly InputFailure[], codes?: readonly string[]): Ending | undefined {
  const input = inputs.find((one) => codes === undefined || codes.includes(one.code))
  if (input === undefined) return undefined
  if (input.code === 'network-limit') return limited('network')
  const { archive, path, expected, actual } = input
  const data = { archive, path, expected, actual }
  if (input.code === 'input-refused')
    return { outcome: 'build-failed', limit: null, reason: { code: 'input-refused', message: input.message, data } }
  const outcome = input.code === 'input-differs' ? 'input-differs' : 'input-unavailable'
  return { outcome, limit: null, reason: { code: outcome, message: input.message, data } }
}

function buildFailed(exit: number): Ending {
  return {
    outcome: 'build-failed',
    limit: null,
    reason: { code: 'mkosi-failed', message: `mkosi ended with exit code ${exit}`, data: { exit } },
  }
}

function limited(limit: LimitKind): Ending {
  return { outcome: 'limit', limit, reason: { code: `limit-${limit}`, message: LIMIT_TEXT[limit], data: {} } }
}

function failed(outcome: Outcome, code: string, message: string): Ending {
  return { outcome, limit: null, reason: { code, message, data: {} } }
}

/** What stopped an attempt from outside the build. Our own coded failures keep their code; anything else is told without its text. */
export function endingOfError(thrown: unknown, signal: AbortSignal): Ending {
  if (signal.aborted) return { outcome: 'cancelled', limit: null, reason: null }
  const error = firstFailure(thrown)
  if (error instanceof OutputTooLarge) return limited('output-size')
  if (error instanceof OutputRefused) return failed('build-failed', error.code, error.message)
  if (error instanceof Failure) return failed('infrastructure', error.code, error.message)
  if ((error as NodeJS.ErrnoException | null)?.code === 'ENOSPC')
    return failed('infrastructure', 'disk-full', 'the disk of this machine is full')
  return failed('infrastructure', 'internal', 'an unexpected failure on our side')
}

/** The build ended well, but what it left cannot be taken: a forged, missing or ambiguous output. */
export class OutputRefused extends Failure {}

/** What the build left is within its bound only as long as nobody unpacks it. */
export class OutputTooLarge extends OutputRefused {}
