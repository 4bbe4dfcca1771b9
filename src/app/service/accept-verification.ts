import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { fingerprintOf } from '../store/fingerprint.ts'
import type { BlobRole, Submission } from '../store/records.ts'
import type { Unit, UnitOfWork } from '../store/store-ports.ts'
import { keyReused } from './idempotency-key.ts'
import { type AllowedBuilders, isAllowed } from './job-terms.ts'
import type { ServiceEvents } from './service-events.ts'

export type ServicePorts = {
  readonly unitOfWork: UnitOfWork
  readonly now: () => Date
  /** A UUID of version 7. */
  readonly newId: () => string
  /** How long a worker keeps an attempt without a heartbeat, ms; `LEASE_MS` where it is not said. The queue has to be told the same. */
  readonly leaseMs?: number
  /** How long attempts wait for a worker that had none of their verification, ms; `SPREAD_MS` where it is not said. */
  readonly spreadMs?: number
  /** How long a worker may have an attempt, ms; `HOLD_MS` where it is not said. */
  readonly holdMs?: number
  /** How many attempts one worker may hold; `HELD_PER_WORKER` where it is not said. */
  readonly heldPerWorker?: number
  /** Nothing else is built in; none: any builder may be. */
  readonly allowedBuilders?: AllowedBuilders
  /** Told of what happened once its transaction is over. */
  readonly events?: Partial<ServiceEvents>
}

export type AcceptCommand = {
  readonly submission: Submission
  /** Verifications of the owner that may be open, this one included. */
  readonly mostOpen: number
  /** What the client calls this request, and the digest of the request; null: it does not. */
  readonly idempotency: { readonly key: string; readonly requestDigest: Sha256; readonly hours: number } | null
}

/** `joined`: the owner has the same submission open, or said the same before. */
export type Accepted = { readonly verificationId: string; readonly joined: boolean }

/**
 * Accepts a submission: the verification, the job that prepares it, and that its uploads are needed, are there as a whole or not at all.
 * Fails with `idempotency-key-reused`, `upload-unknown`, `builder-unknown`, `builder-not-allowed` or `verifications-open-limit`.
 */
export async function acceptVerification(ports: ServicePorts, command: AcceptCommand): Promise<Accepted> {
  const accepted = await accept(ports, command)
  const { ownerId: owner, trusted } = command.submission
  ports.events?.submissionAccepted?.({ verification: accepted.verificationId, owner, trusted, joined: accepted.joined })
  return accepted
}

async function accept(ports: ServicePorts, { submission, mostOpen, idempotency }: AcceptCommand): Promise<Accepted> {
  const { unitOfWork, now, newId, allowedBuilders = [] } = ports
  return await unitOfWork.run(async (unit) => {
    const at = now()
    const said = idempotency === null ? undefined : await unit.idempotencyKeys.find(submission.ownerId, idempotency.key, at)
    if (said !== undefined && idempotency !== null) return { verificationId: sameAs(said, idempotency.requestDigest), joined: true }
    const accepted = await insertOrJoin(unit, { submission, mostOpen, at, newId, allowedBuilders })
    if (idempotency === null) return accepted
    const { key, requestDigest, hours } = idempotency
    const claimed = await unit.idempotencyKeys.claim({
      ownerId: submission.ownerId,
      key,
      verificationId: accepted.verificationId,
      requestDigest,
      now: at,
      expiresAt: new Date(at.getTime() + hours * 3_600_000),
    })
    // Somebody was faster with the same key: what was inserted here goes with the transaction unless it is the same.
    if (!claimed.fresh && sameAs(claimed, requestDigest) !== accepted.verificationId) throw keyReused()
    return accepted
  })
}

async function insertOrJoin(
  unit: Unit,
  {
    submission,
    mostOpen,
    ...o
  }: Omit<AcceptCommand, 'idempotency'> & Required<Pick<ServicePorts, 'newId' | 'allowedBuilders'>> & { at: Date },
): Promise<Accepted> {
  const id = o.newId()
  if (!(await unit.verifications.insert({ id, submission, createdAt: o.at }))) {
    const open = await unit.verifications.openWith(fingerprintOf(submission))
    if (open !== undefined) return { verificationId: open.id, joined: true }
    // It ended between the two statements.
    throw new Failure({
      code: 'database-collision',
      message: 'the same submission ended while this one was accepted',
      hint: 'try again',
      retryable: true,
    })
  }
  if (submission.builder !== null && !isAllowed(o.allowedBuilders, submission.builder)) throw builderNotAllowed()
  if (submission.builder !== null && (await unit.builders.find(submission.builder)) === undefined) throw builderUnknown()
  const roles: readonly [BlobRole, Sha256 | null][] = [
    ['upload', submission.upload],
    ['lock', submission.lock],
    ['inputs', submission.inputs],
  ]
  for (const [role, sha256] of roles) {
    if (sha256 === null) continue
    // Held from here on: whoever sweeps uploads passes it by, and finds it needed afterwards.
    const upload = await unit.uploads.find(submission.ownerId, sha256)
    if (upload === undefined) throw uploadUnknown(role)
    await unit.blobs.refer({ sha256, size: upload.size, verificationId: id, role, at: o.at })
  }
  await unit.jobs.enqueue('preparation', { verificationId: id })
  await unit.notices.send('verifications', id)
  // Of submissions at the same moment each counts those before it. Last, so that one owner's wait for each other as shortly as may be.
  await unit.owners.hold(submission.ownerId)
  if ((await unit.verifications.openOf(submission.ownerId)) > mostOpen) throw tooManyOpen(mostOpen)
  return { verificationId: id, joined: false }
}

function sameAs(said: { readonly verificationId: string; readonly requestDigest: Sha256 }, requestDigest: Sha256): string {
  if (said.requestDigest !== requestDigest) throw keyReused()
  return said.verificationId
}

function uploadUnknown(role: BlobRole): Failure {
  return new Failure({
    code: 'upload-unknown',
    message: `you have no upload of the digest that is named as ${role === 'upload' ? 'archive' : role}`,
    hint: 'upload it first (POST /v1/uploads); what is not submitted is forgotten after a while',
  })
}

function builderUnknown(): Failure {
  return new Failure({
    code: 'builder-unknown',
    message: 'this service knows no builder of this digest',
    hint: 'take one of GET /v1/builders, or name none',
  })
}

function builderNotAllowed(): Failure {
  return new Failure({
    code: 'builder-not-allowed',
    message: 'this service does not build in this builder',
    hint: 'name none: the one that the operator chose is taken then',
  })
}

function tooManyOpen(most: number): Failure {
  return new Failure({
    code: 'verifications-open-limit',
    message: `you have ${most} verifications open already`,
    hint: 'wait until one of them is finished, or cancel one',
    data: { retryAfterSeconds: 60 },
  })
}
