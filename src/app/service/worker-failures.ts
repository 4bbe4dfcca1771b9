import { Failure } from '../../../verifier/model/failure.ts'

const AGAIN = 'the attempt is tried again; if it keeps happening, compare the versions of worker and coordinator'
const OUTDATED = 'run the same version of Bitwitness on the worker and on the coordinator'

/** Why a coordinator does not take what a worker says. */
const FAILURES = {
  'worker-unknown': [
    'no worker that may speak here has this key',
    'have it added: bitwitness worker add, with the key of bitwitness worker key',
  ],
  'worker-outdated': ['worker and coordinator are of versions that do not understand each other', OUTDATED],
  'worker-message-malformed': ['what the worker sent is not a document of the protocol', OUTDATED],
  'worker-architecture-unknown': ['no attempts are queued for this architecture', 'run workers on amd64 or arm64'],
  'events-too-many': [
    'the attempt has told more than is kept of its progress',
    'send no more lines of its log: the log itself is taken with the report',
  ],
  'events-missing': ['events of the attempt are missing before these', 'send them in order, from the first that was not taken'],
  'blob-too-large': ['the blob is larger than is taken from a worker', 'look at the limits of the coordinator: BITWITNESS_LIMIT_OUTPUT'],
  'blobs-too-large': ['the worker has given more bytes for the attempt than are taken', AGAIN],
  'report-of-another-job': ['the report is about another job than the one that its worker holds', AGAIN],
  'report-lock-differs': ['the report is not about a build from the inputs of its job', AGAIN],
  'report-builder-differs': ['the report is not about a build in the builder of its job', AGAIN],
  'report-builder-not-allowed': [
    'the report is about a build in a builder that the operator does not allow',
    'look at BITWITNESS_BUILDERS of the coordinator; bring the worker one of those: bitwitness builder import',
  ],
  'report-blobs-missing': ['the report names bytes that its worker has not handed over', 'hand them over, then send the report again'],
  'report-contradictory': ['the report contradicts itself or the bytes that it names', AGAIN],
} as const satisfies Readonly<Record<string, readonly [message: string, hint: string]>>

export type WorkerFailureCode = keyof typeof FAILURES

export function isWorkerFailureCode(code: string): code is WorkerFailureCode {
  return Object.hasOwn(FAILURES, code)
}

/** `data`: facts of ours; nothing that the worker wrote. */
export function workerFailure(code: WorkerFailureCode, data: Readonly<Record<string, string | number | null>> = {}): Failure {
  const [message, hint] = FAILURES[code]
  return new Failure({ code, message, hint, data })
}
