import type { Attempt } from '../../../verifier/model/attempt.ts'
import type { Claim } from '../../../verifier/model/claim.ts'
import type { Tier } from '../../../verifier/model/comparison.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { AttemptEvent } from '../../../verifier/model/event.ts'
import type { PinnedSource } from '../../../verifier/model/source.ts'
import type { Verdict } from '../../../verifier/model/verdict.ts'
import type { VerificationLife } from '../lifecycle/verification-state.ts'
import type { Page, PageRequest } from './page.ts'
import type {
  Attestation,
  BlobRole,
  Known,
  NewEvent,
  Owner,
  SigningTask,
  StoredAttempt,
  StoredTry,
  Subject,
  Submission,
  Token,
  Verification,
  Worker,
} from './records.ts'

/** Filters of the list of verifications. Null: any. */
export type VerificationFilter = {
  readonly verdict: Verdict | null
  readonly subject: Sha256 | null
  /** Repository URL, or name of the archive. */
  readonly source: string | null
  readonly builder: Sha256 | null
  readonly owner: string | null
  readonly since: Date | null
}

/** A verification that is held until the transaction ends: nobody else can change it, or its attempts, meanwhile. */
export type HeldVerification = {
  readonly life: VerificationLife
  readonly attempts: readonly StoredAttempt[]
  readonly submission: Omit<Submission, 'claims'>
  readonly createdAt: Date
}

export interface Owners {
  /** The owner of this issuer and subject, made where there is none; the name is the first one given. */
  ensure(owner: Owner): Promise<Owner>
  find(id: string): Promise<Owner | undefined>
  page(request: PageRequest): Promise<Page<Owner>>
}

export interface Tokens {
  insert(token: Token, secretDigest: Sha256): Promise<void>
  /** The token with this secret unless it is revoked or has expired; notes that it was used. */
  use(secretDigest: Sha256, now: Date): Promise<Token | undefined>
  /** False where there is none, or it was revoked before. */
  revoke(id: string, now: Date): Promise<boolean>
  page(ownerId: string, request: PageRequest): Promise<Page<Token>>
}

export interface Verifications {
  /** False where the same owner has the same submission open: `openWith` finds that one. */
  insert(o: { id: string; submission: Submission; createdAt: Date }): Promise<boolean>
  openWith(fingerprint: Sha256): Promise<Verification | undefined>
  read(id: string): Promise<Verification | undefined>
  page(filter: VerificationFilter, request: PageRequest): Promise<Page<Verification>>
  /** Everything known about a digest, newest first. Claims count once they may be shown. */
  known(sha256: Sha256, request: PageRequest): Promise<Page<Known>>
  /** Those that are neither finished nor cancelled, for whoever starts again after a crash. */
  open(request: PageRequest): Promise<Page<Verification>>
  /** Claims for whoever decides. Fails with `claims-hidden` until all attempts are committed. */
  claims(id: string): Promise<readonly Claim[]>
  hold(id: string): Promise<HeldVerification | undefined>
  pin(id: string, pinned: PinnedSource): Promise<void>
  /** Notes how far it is, and with `committed` that its claims may be shown. */
  advance(id: string, o: { state: 'running'; committed: boolean }): Promise<void>
  finish(
    id: string,
    o: { verdict: Verdict; tier: Tier | null; builder: Sha256 | null; report: Sha256; artifacts: readonly Subject[]; at: Date },
  ): Promise<void>
  cancel(id: string, at: Date): Promise<void>
}

export interface IdempotencyKeys {
  /** What the key stands for: itself with `fresh`, or what it was used for before. Expired keys count as unused. */
  claim(o: { ownerId: string; key: string; verificationId: string; requestDigest: Sha256; now: Date; expiresAt: Date }): Promise<{
    readonly fresh: boolean
    readonly verificationId: string
    readonly requestDigest: Sha256
  }>
  find(ownerId: string, key: string, now: Date): Promise<{ readonly verificationId: string; readonly requestDigest: Sha256 } | undefined>
  /** Removes expired ones, at most `limit`; says how many. */
  sweep(now: Date, limit: number): Promise<number>
}

export interface Attempts {
  insert(attempt: StoredAttempt): Promise<void>
  read(id: string): Promise<StoredAttempt | undefined>
  /** In order; there are at most nine. */
  of(verificationId: string): Promise<readonly StoredAttempt[]>
  /** Writes what a transition made of it. `report` and `at` are those of a commit. */
  save(attempt: StoredAttempt, o: { report: Attempt | null; at: Date }): Promise<void>
  addTry(ended: StoredTry): Promise<void>
  tries(attemptId: string): Promise<readonly StoredTry[]>
  /** Leases that ran out before `now`, the oldest first. */
  expired(now: Date, limit: number): Promise<readonly StoredAttempt[]>
}

export interface Workers {
  /** False where a worker has the name or the key already. */
  insert(worker: Worker): Promise<boolean>
  /** By its key, unless it was revoked; notes that it was seen. */
  seen(publicKey: string, now: Date): Promise<Worker | undefined>
  revoke(id: string, now: Date): Promise<boolean>
  page(request: PageRequest): Promise<Page<Worker>>
}

export interface Events {
  /** Adds events in order and gives the number of the last one. */
  append(verificationId: string, events: readonly NewEvent[]): Promise<number>
  /** Events after `seq`, in order. */
  after(verificationId: string, seq: number, limit: number): Promise<readonly AttemptEvent[]>
}

export interface Attestations {
  /** False where the verification has one of this type already. Takes the task out of the backlog. */
  publish(attestation: Attestation): Promise<boolean>
  of(verificationId: string): Promise<readonly Attestation[]>
  page(request: PageRequest): Promise<Page<Attestation>>
  /** Adds a task unless it is there, or done. */
  plan(o: { verificationId: string; predicateType: string; at: Date }): Promise<boolean>
  failed(o: { verificationId: string; predicateType: string; code: string; nextAt: Date }): Promise<void>
  /** Tasks whose time has come, the longest waiting first. */
  due(now: Date, limit: number): Promise<readonly SigningTask[]>
  backlog(): Promise<{ readonly tasks: number; readonly oldest: Date | null }>
}

export interface Blobs {
  /** Notes that a verification needs a blob, which is in the store of blobs already. */
  refer(o: { sha256: Sha256; size: number; verificationId: string; role: BlobRole; at: Date }): Promise<void>
  /**
   * Forgets blobs that only verifications need which ended before `before`, and of which nothing was attested; at most `limit`. Gives
   * those whose bytes may go now.
   */
  collect(before: Date, limit: number): Promise<readonly Sha256[]>
  of(verificationId: string): Promise<readonly { readonly sha256: Sha256; readonly size: number; readonly role: BlobRole }[]>
}

export interface Repositories {
  readonly owners: Owners
  readonly tokens: Tokens
  readonly verifications: Verifications
  readonly idempotencyKeys: IdempotencyKeys
  readonly attempts: Attempts
  readonly workers: Workers
  readonly events: Events
  readonly attestations: Attestations
  readonly blobs: Blobs
}

/** What may be read without a transaction. Everything that writes needs one. */
export type Reads = {
  readonly owners: Pick<Owners, 'find' | 'page'>
  readonly tokens: Pick<Tokens, 'page'>
  readonly verifications: Pick<Verifications, 'read' | 'page' | 'known' | 'open' | 'claims'>
  readonly attempts: Pick<Attempts, 'read' | 'of' | 'tries' | 'expired'>
  readonly workers: Pick<Workers, 'page'>
  readonly events: Pick<Events, 'after'>
  readonly attestations: Pick<Attestations, 'of' | 'page' | 'due' | 'backlog'>
  readonly blobs: Pick<Blobs, 'of'>
}

/** What waits to be done. */
export type JobKinds = {
  readonly attempt: { readonly attemptId: string }
  readonly signing: { readonly verificationId: string; readonly predicateType: string }
}
export type JobKind = keyof JobKinds

/** A job that was taken. `tries` counts from 1. */
export type TakenJob<K extends JobKind> = { readonly id: string; readonly tries: number; readonly data: JobKinds[K] }

/** The queue, bound to a transaction: what is done here happens with everything else in it, or not at all. */
export interface Jobs {
  /** False where the job is there already: one attempt is one job. */
  enqueue<K extends JobKind>(kind: K, data: JobKinds[K], o?: { readonly after?: Date }): Promise<boolean>
  take<K extends JobKind>(kind: K): Promise<TakenJob<K> | undefined>
  /** Keeps a job that is being worked on; false where somebody else may have it by now. */
  touch(kind: JobKind, job: Pick<TakenJob<JobKind>, 'id' | 'tries'>): Promise<boolean>
  complete(kind: JobKind, id: string): Promise<void>
  /** Back into the queue after a delay that grows, or, at the cap, to the dead ones. */
  retry(kind: JobKind, job: Pick<TakenJob<JobKind>, 'id' | 'tries'>): Promise<void>
  cancel(kind: JobKind, id: string): Promise<void>
  /** An attempt of which the queue has given up. Signing is never given up. */
  takeDead(): Promise<TakenJob<'attempt'> | undefined>
  completeDead(id: string): Promise<void>
}

/** What one transaction works with. None of it may be used after its end. */
export type Unit = Repositories & { readonly jobs: Jobs }

export interface UnitOfWork {
  /**
   * Runs `work` in a transaction, the only way to open one: what it did is there as a whole when this resolves, and not at all when it
   * rejects. Nothing slow belongs inside. Where the database had to choose between two transactions it runs again, so it may have no
   * other effects. Repositories from elsewhere fail inside it with `query-outside-transaction`.
   */
  run<T>(work: (unit: Unit) => Promise<T>): Promise<T>
}
