import { Failure } from '../../verifier/model/failure.ts'
import { isIllegalCode, transitionRefused } from '../app/service/transition-refused.ts'
import { isWorkerFailureCode, workerFailure } from '../app/service/worker-failures.ts'

/** What a coordinator can do to stop a worker. The words are ours alone: what answers in its place could say anything. */
const FAILURES = {
  'coordinator-unreachable': [
    'the coordinator cannot be reached, or broke off',
    'see that it runs and that BITWITNESS_COORDINATOR leads to it',
  ],
  'coordinator-failing': [
    'the coordinator, or something before it, answers with errors of its own',
    'look at its log; the worker tries again',
  ],
  'coordinator-redirects': [
    'what answers at the coordinator’s address sends elsewhere',
    'give the address itself as BITWITNESS_COORDINATOR: no redirect is followed',
  ],
  'coordinator-answer-malformed': ['the coordinator answers what its protocol does not have', 'run the same version of Bitwitness on both'],
  'coordinator-not-bitwitness': [
    'what answers there is no coordinator',
    'give the address of one as BITWITNESS_COORDINATOR, without a path',
  ],
  'coordinator-refused': [
    'the coordinator refuses what the worker asks',
    'run the same version of Bitwitness on both, and look at the log of the coordinator',
  ],
} as const satisfies Readonly<Record<string, readonly [message: string, hint: string]>>

export type CoordinatorFailureCode = keyof typeof FAILURES

const RETRYABLE: ReadonlySet<string> = new Set(['coordinator-unreachable', 'coordinator-failing'])

/** Answers that the same request, signed anew, may not meet again. */
const PASSING: ReadonlySet<string> = new Set([
  'blob-differs',
  'body-too-slow',
  'content-digest-differs',
  'request-aborted',
  'worker-signature-replayed',
  'worker-signature-stale',
])

const SIGNATURE = {
  'worker-signature-invalid': [
    'the coordinator knows no worker with this key, or has revoked it',
    'have it added there: bitwitness worker add, with what `bitwitness worker key` prints here',
  ],
  'worker-signature-stale': ['the coordinator takes no signature of this time', 'set the clock of this machine right'],
} as const satisfies Readonly<Record<string, readonly [message: string, hint: string]>>

export function coordinatorFailure(
  code: CoordinatorFailureCode,
  data: Readonly<Record<string, string | number>> = {},
  cause?: unknown,
): Failure {
  const [message, hint] = FAILURES[code]
  return new Failure({ code, message, hint, data, retryable: RETRYABLE.has(code), cause })
}

/** A refusal in our own words, by its code. */
export function refusalOf(code: string): Failure {
  if (isWorkerFailureCode(code)) return workerFailure(code)
  if (isIllegalCode(code)) return transitionRefused(code)
  const [message, hint] = Object.hasOwn(SIGNATURE, code) ? SIGNATURE[code as keyof typeof SIGNATURE] : FAILURES['coordinator-refused']
  return new Failure({ code, message, hint, retryable: PASSING.has(code) })
}
