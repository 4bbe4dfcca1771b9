import type { Context } from 'hono'
import { Failure } from '../../verifier/model/failure.ts'
import type { HttpEnv, HttpPorts } from './http-ports.ts'
import { answerProblem, type ProblemStatus, problemBody } from './problems.ts'

/** What workers are told and nobody else. Who is not known, or was revoked, is answered like who signs falsely. */
const CODES: Readonly<Partial<Record<ProblemStatus, readonly string[]>>> = {
  400: [
    'content-digest-differs',
    'content-digest-malformed',
    'content-digest-missing',
    'events-missing',
    'worker-architecture-unknown',
    'worker-body-unexpected',
    'worker-message-malformed',
    'worker-outdated',
  ],
  401: [
    'worker-signature-invalid',
    'worker-signature-malformed',
    'worker-signature-missing',
    'worker-signature-replayed',
    'worker-signature-stale',
    'worker-unknown',
  ],
  404: ['blob-missing'],
  409: ['attempt-committed', 'attempt-queued', 'lease-expired', 'lease-not-yours', 'verification-over'],
  413: ['blob-too-large', 'blobs-too-large', 'events-too-many'],
  422: [
    'blob-differs',
    'report-blobs-missing',
    'report-builder-differs',
    'report-contradictory',
    'report-lock-differs',
    'report-of-another-job',
  ],
}

const STATUS: ReadonlyMap<string, ProblemStatus> = new Map(
  Object.entries(CODES).flatMap(([status, codes]) => codes.map((code) => [code, Number(status) as ProblemStatus] as const)),
)

export function answerWorkerProblem(ports: Pick<HttpPorts, 'onTrouble'>, error: unknown, c: Context<HttpEnv>): Response {
  const status = error instanceof Failure ? STATUS.get(error.code) : undefined
  return error instanceof Failure && status !== undefined ? problemBody(c, error, status) : answerProblem(ports, error, c)
}
