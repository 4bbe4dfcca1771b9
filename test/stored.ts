import { createHash, randomUUIDv7 } from 'node:crypto'
import type { AcceptCommand, ServicePorts } from '../src/app/accept-verification.ts'
import type { StoredDecision } from '../src/app/end-verification.ts'
import type { Owner, Submission, Worker } from '../src/app/store/records.ts'
import type { StoreRoom } from '../src/store-room.ts'
import { type Attempt, attemptWithoutRun, type Outcome } from '../verifier/model/attempt.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { sha256Of } from '../verifier/model/hex-digest.ts'

export function digestOf(text: string): Sha256 {
  return sha256Of(createHash('sha256').update(text))
}

/** A clock that moves when it is told to. */
export class Clock {
  #at: number

  constructor(at = Date.UTC(2026, 0, 1)) {
    this.#at = at
  }

  readonly now = (): Date => new Date(this.#at)

  pass(ms: number): Date {
    this.#at += ms
    return this.now()
  }
}

export const newId = (): string => randomUUIDv7()

export function portsOf(store: Pick<StoreRoom, 'unitOfWork'>, clock: Clock): ServicePorts {
  return { unitOfWork: store.unitOfWork, now: clock.now, newId }
}

export async function addOwner({ unitOfWork }: Pick<StoreRoom, 'unitOfWork'>, subject: string, at: Date): Promise<Owner> {
  const owner = { id: newId(), kind: 'local', issuer: 'local', subject, name: subject, createdAt: at } as const
  return await unitOfWork.run(({ owners }) => owners.ensure(owner))
}

export async function addWorker({ unitOfWork }: Pick<StoreRoom, 'unitOfWork'>, name: string, at: Date): Promise<Worker> {
  const worker: Worker = {
    id: newId(),
    name,
    publicKey: `key of ${name}`,
    capabilities: { architecture: 'amd64', builders: [], isolation: 'shared-kernel' },
    addedAt: at,
    revokedAt: null,
    lastSeenAt: null,
  }
  if (!(await unitOfWork.run(({ workers }) => workers.insert(worker)))) throw new Error(`there is a worker ${name}`)
  return worker
}

export function submissionOf(ownerId: string, change: Partial<Submission> = {}): Submission {
  return {
    ownerId,
    source: { kind: 'git', url: 'https://git.example/app', commit: 'a'.repeat(40), path: '.' },
    upload: null,
    claims: [{ kind: 'file', name: null, sha256: digestOf('claimed'), location: null }],
    lock: null,
    inputs: null,
    attempts: 2,
    callbackUrl: null,
    ...change,
  }
}

export function commandOf(submission: Submission, idempotency: AcceptCommand['idempotency'] = null): AcceptCommand {
  return { submission, sizes: new Map(), idempotency }
}

export function reportOf(number: number, outcome: Outcome): Attempt {
  const reason = outcome === 'built' ? null : { code: outcome, message: `it ended as ${outcome}`, data: {} }
  return attemptWithoutRun({ number, mode: 'replay', outcome, reason })
}

export function decisionOf(change: Partial<StoredDecision> = {}): StoredDecision {
  const report = digestOf('report')
  return {
    verdict: 'reproduced',
    tier: 'bit-exact',
    builder: digestOf('builder'),
    report,
    artifacts: [{ sha256: digestOf('built'), kind: 'artifact', name: 'image.tar' }],
    blobs: [{ sha256: report, size: 6, role: 'report' }],
    statements: ['https://example.org/reproduced/v1'],
    ...change,
  }
}
