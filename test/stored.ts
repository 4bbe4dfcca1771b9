import { createHash, randomUUIDv7 } from 'node:crypto'
import { type AcceptCommand, acceptVerification, type ServicePorts } from '../src/app/service/accept-verification.ts'
import type { StoredDecision } from '../src/app/service/end-verification.ts'
import { LEFT_TO_OTHERS, type LeasedAttempt, leaseAttempt } from '../src/app/service/lease-attempt.ts'
import { markPrepared } from '../src/app/service/prepare-verification.ts'
import { ATTEMPT_ROUTES, type Owner, type Prepared, type Submission, type Worker } from '../src/app/store/records.ts'
import type { Unit } from '../src/app/store/store-ports.ts'
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

export async function addWorker(
  { unitOfWork }: Pick<StoreRoom, 'unitOfWork'>,
  name: string,
  at: Date,
  change: Partial<Worker> = {},
): Promise<Worker> {
  const worker: Worker = {
    id: newId(),
    name,
    place: 'remote',
    publicKey: `key of ${name}`,
    capabilities: { architecture: 'amd64', builders: [], isolation: 'shared-kernel' },
    addedAt: at,
    revokedAt: null,
    lastSeenAt: null,
    ...change,
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
    builder: null,
    attempts: 2,
    maxAgeSeconds: null,
    trusted: true,
    callbackUrl: null,
    ...change,
  }
}

export function commandOf(submission: Submission, idempotency: AcceptCommand['idempotency'] = null): AcceptCommand {
  return { submission, mostOpen: 1000, idempotency }
}

/** What preparing a submission gives. */
export function preparedOf(
  { source, upload, lock }: Pick<Submission, 'source' | 'upload' | 'lock'>,
  change: Partial<Prepared> = {},
): Prepared {
  const { path } = source
  const treeDigest = digestOf(`tree of ${JSON.stringify(source)}`)
  const pinned =
    source.kind === 'git'
      ? ({ kind: 'git', url: source.url, commit: 'a'.repeat(40), ref: null, path, treeDigest } as const)
      : ({ kind: 'archive', name: source.name, sha256: upload, path, treeDigest } as const)
  return { pinned, sourceTar: digestOf('source'), reading: READING, architecture: 'amd64', lock, ...change }
}

const READING: Prepared['reading'] = {
  recipe: {
    images: [],
    distribution: 'debian',
    release: 'trixie',
    architecture: 'x86-64',
    sourceDateEpoch: 0,
    snapshot: null,
    mirrors: [],
    imageConfig: { entrypoint: [], cmd: [], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} },
    profiles: [],
    files: ['mkosi.conf'],
    pins: { present: [], missing: [] },
  },
  findings: [],
}

/** Uploads what a submission names, as far as anybody looks. */
export async function bringUploads(
  { unitOfWork, now }: ServicePorts,
  { ownerId, upload, lock, inputs }: Pick<Submission, 'ownerId' | 'upload' | 'lock' | 'inputs'>,
): Promise<void> {
  await unitOfWork.run(async ({ uploads }) => {
    for (const sha256 of [upload, lock, inputs]) if (sha256 !== null) await uploads.add({ ownerId, sha256, size: 6, createdAt: now() })
  })
}

/** Accepts a submission and prepares it, so that its first attempts are open. */
export async function acceptPrepared(ports: ServicePorts, submission: Submission, change: Partial<Prepared> = {}): Promise<string> {
  await bringUploads(ports, submission)
  const { verificationId } = await acceptVerification(ports, commandOf(submission))
  await markPrepared(ports, verificationId, preparedOf(submission, change))
  return verificationId
}

/** The attempt that a worker who takes all of them is given. */
export async function leaseAny(ports: ServicePorts, { id: workerId }: Pick<Worker, 'id'>): Promise<LeasedAttempt | undefined> {
  const leased = await leaseAttempt(ports, { workerId, routes: ATTEMPT_ROUTES })
  return leased === LEFT_TO_OTHERS ? undefined : leased
}

export async function mustLease(ports: ServicePorts, worker: Pick<Worker, 'id'>): Promise<LeasedAttempt> {
  const leased = await leaseAny(ports, worker)
  if (leased === undefined) throw new Error('nothing to do')
  return leased
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
    reasons: [],
    builder: digestOf('builder'),
    report,
    artifacts: [{ sha256: digestOf('built'), kind: 'artifact', name: 'image.tar' }],
    blobs: [{ sha256: report, size: 6, role: 'report' }],
    statements: ['https://example.org/reproduced/v1'],
    ...change,
  }
}

/** What of all blobs is collected where everything that ended before a time may go. */
export async function collectAll(blobs: Unit['blobs'], before: Date): Promise<readonly Sha256[]> {
  return (await blobs.collect({ endedBefore: before, notedBefore: before, after: null, limit: 10_000 })).gone
}
