import type { Attempt } from '../../../verifier/model/attempt.ts'
import type { Claim } from '../../../verifier/model/claim.ts'
import type { Tier } from '../../../verifier/model/comparison.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { AttemptEvent } from '../../../verifier/model/event.ts'
import type { RecipeReading } from '../../../verifier/model/recipe.ts'
import type { Verdict, VerdictReason } from '../../../verifier/model/verdict.ts'
import type { VerificationLife } from '../lifecycle/verification-state.ts'
import type { Blobs, Builders, ForgottenBlobs, HandedBlobs, Uploads } from './blob-ports.ts'
import type { Deployments } from './deployment-ports.ts'
import type { Composes, GateDecisions, GateStandings, StandingKey } from './gate-ports.ts'
import type { IdempotencyKeys } from './idempotency-ports.ts'
import type { Notices } from './notice-ports.ts'
import type { Observations } from './observation-ports.ts'
import type { Owners, Tokens } from './owner-ports.ts'
import type { Page, PageRequest } from './page.ts'
import type {
  AttemptRoute,
  Attestation,
  Known,
  NewEvent,
  Owner,
  Prepared,
  SigningTask,
  StoredAttempt,
  StoredTry,
  Subject,
  Submission,
  Verification,
  Worker,
  WorkerCapabilities,
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
  /** Null until its source is pinned. */
  readonly prepared: Prepared | null
  readonly createdAt: Date
}

export interface Verifications {
  /** False where the same owner has the same submission open: `openWith` finds that one. */
  insert(o: { id: string; submission: Submission; createdAt: Date }): Promise<boolean>
  openWith(fingerprint: Sha256): Promise<Verification | undefined>
  read(id: string): Promise<Verification | undefined>
  /** What was read from its recipe; null until that is done. */
  recipe(id: string): Promise<RecipeReading | null | undefined>
  page(filter: VerificationFilter, request: PageRequest): Promise<Page<Verification>>
  /**
   * Everything known about a digest: the newest verdict for each source, claims and owner, newest first; of one source or owner, where that is
   * asked for.
   */
  known(sha256: Sha256, request: PageRequest, of?: Pick<VerificationFilter, 'source' | 'owner'>): Promise<Page<Known>>
  /** All verifications behind one of those, newest first. */
  knownBy(sha256: Sha256, key: Sha256, request: PageRequest): Promise<Page<Verification>>
  /** Those that are neither finished nor cancelled, for whoever starts again after a crash. */
  open(request: PageRequest): Promise<Page<Verification>>
  /** Claims for whoever decides. Fails with `claims-hidden` until all attempts are committed. */
  claims(id: string): Promise<readonly Claim[]>
  /** The same of one that never had an attempt, for the report of its refusal. */
  claimsOfUnbuilt(id: string): Promise<readonly Claim[]>
  hold(id: string): Promise<HeldVerification | undefined>
  /** The one that an attempt is of. */
  holdOf(attemptId: string): Promise<HeldVerification | undefined>
  /** Lets nobody hold it until the transaction ends. Several may do so at once. */
  holdOff(id: string): Promise<void>
  prepare(id: string, prepared: Prepared): Promise<void>
  /** How many of an owner's verifications are neither finished nor cancelled. */
  openOf(ownerId: string): Promise<number>
  /**
   * The newest finished verification of the same pinned source, lock, architecture and builder, built by as many attempts or more, all of
   * them `built`, since `since`. Whoever owned it.
   */
  rebuilt(o: { prepared: Prepared; attempts: number; builder: Sha256; since: Date }): Promise<string | undefined>
  /** The builder of the newest finished verification whose owner named none, as trusted and of this architecture. */
  chosenLast(o: { architecture: string; trusted: boolean }): Promise<Sha256 | undefined>
  /** Notes whose attempts answer it. */
  reuse(id: string, from: string): Promise<void>
  /** Notes how far it is, and with `committed` that its claims may be shown. */
  advance(id: string, o: { state: 'running'; committed: boolean }): Promise<void>
  finish(
    id: string,
    o: {
      verdict: Verdict
      tier: Tier | null
      reasons: readonly VerdictReason[]
      builder: Sha256 | null
      /** Null only where nothing was built and nothing pinned. */
      report: Sha256 | null
      artifacts: readonly Subject[]
      at: Date
    },
  ): Promise<void>
  cancel(id: string, at: Date): Promise<void>
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
  /** Notes that a worker has, or had, an attempt of a verification. */
  noteWorker(verificationId: string, workerId: string): Promise<void>
  /** Forgets who had attempts of a verification, of which no more are to be done. */
  forgetWorkers(verificationId: string): Promise<void>
  /**
   * Verifications whose attempts a worker leaves to others: it had one of them, and there is a worker for the route that had none, is not
   * revoked and was heard of since `aliveSince` or holds an attempt now. None that waits since before `waitingSince`; `limit` at most.
   */
  leftToOthers(o: {
    workerId: string
    route: AttemptRoute
    waitingSince: Date
    aliveSince: Date
    now: Date
    limit: number
  }): Promise<readonly string[]>
  heldBy(workerId: string, now: Date): Promise<number>
  /** Leases that ran out before `now`, the oldest first. */
  expired(now: Date, limit: number): Promise<readonly StoredAttempt[]>
}

export interface Workers {
  /** False where a worker has the name or the key already. */
  insert(worker: Worker): Promise<boolean>
  find(id: string): Promise<Worker | undefined>
  /** By its key, unless it was revoked. */
  withKey(publicKey: string): Promise<Worker | undefined>
  /** Notes that it was heard of, and what it said that it can do. */
  seen(id: string, o: { capabilities: WorkerCapabilities; now: Date }): Promise<void>
  /** Whether a worker that is not revoked takes attempts of this route: its architecture, unless it was never heard of; strangers' only a remote one. */
  anyFor(route: AttemptRoute): Promise<boolean>
  /** The worker, revoked now or before; undefined where there is none of the name. */
  revoke(name: string, now: Date): Promise<Worker | undefined>
  /** How many of them were heard of since a time, or hold an attempt now. */
  alive(o: { since: Date; now: Date }): Promise<readonly { architecture: string; place: Worker['place']; count: number }[]>
  /** Builders that workers of this architecture have, the one that each takes by default first: those that may take what is as trusted, heard of as `alive` has it. */
  builders(o: { architecture: string; trusted: boolean; since: Date; now: Date }): Promise<readonly (readonly Sha256[])[]>
  /** Whether it is known and not revoked, nor can be until the transaction ends. */
  counts(id: string): Promise<boolean>
  /** The same, to one transaction after the other. */
  takes(id: string): Promise<boolean>
  page(request: PageRequest): Promise<Page<Worker>>
}

/** How far the events of one lease have come, and what of the log is among them. */
export type EventIntake = {
  readonly attemptId: string
  readonly lease: string
  /** Number that its worker gives the next event. */
  readonly next: number
  readonly lines: number
  readonly bytes: number
}

export interface Events {
  /** Of this lease: at the beginning where there is none yet. Held until the transaction ends. */
  intake(attemptId: string, lease: string): Promise<EventIntake>
  /** Notes how far they have come now. */
  took(intake: EventIntake): Promise<void>
  /** Adds events in order and gives the number of the last one. */
  append(verificationId: string, events: readonly NewEvent[]): Promise<number>
  /** Events after `seq`, in order. */
  after(verificationId: string, seq: number, limit: number): Promise<readonly AttemptEvent[]>
  /** Lines of an attempt's log among those after `after`, in order, each with the number of its event. */
  lines(o: { verificationId: string; attempt: number; after: number; limit: number }): Promise<readonly LogLine[]>
}

export type LogLine = { readonly seq: number; readonly line: string }

export interface Attestations {
  /** False where the verification has one of this type already. Takes the task out of the backlog. */
  publish(attestation: Attestation): Promise<boolean>
  of(verificationId: string): Promise<readonly Attestation[]>
  read(id: string): Promise<Attestation | undefined>
  /** Who had a digest rebuilt from a repository, with whatever verdict; at most `limit` of them. */
  rebuildersOf(o: { sha256: Sha256; repository: string; limit: number }): Promise<readonly Owner[]>
  /**
   * Bundles about a digest that was claimed and rebuilt from a repository for one of these owners: of each source, claims and owner the newest
   * one, as long as the newest verdict there that found something out is `reproduced`. The newest first.
   */
  about(o: {
    sha256: Sha256
    repository: string
    predicateType: string
    owners: readonly string[]
    limit: number
  }): Promise<readonly Sha256[]>
  /** Those about any of these verifications, by type; at most a page of verifications. */
  among(verificationIds: readonly string[]): Promise<readonly Attestation[]>
  /** What is yet to be signed about any of these verifications. */
  waiting(verificationIds: readonly string[]): Promise<readonly SigningTask[]>
  page(request: PageRequest): Promise<Page<Attestation>>
  /** Adds a task unless it is there, or done. */
  plan(o: { verificationId: string; predicateType: string; at: Date }): Promise<boolean>
  failed(o: { verificationId: string; predicateType: string; code: string; nextAt: Date }): Promise<void>
  /** Tasks whose time has come, the longest waiting first. */
  due(now: Date, limit: number): Promise<readonly SigningTask[]>
  backlog(): Promise<{ readonly tasks: number; readonly oldest: Date | null }>
}

export interface Repositories {
  readonly owners: Owners
  readonly tokens: Tokens
  readonly verifications: Verifications
  readonly idempotencyKeys: IdempotencyKeys
  readonly attempts: Attempts
  readonly workers: Workers
  readonly handedBlobs: HandedBlobs
  readonly events: Events
  readonly attestations: Attestations
  readonly blobs: Blobs
  readonly uploads: Uploads
  readonly builders: Builders
  readonly forgottenBlobs: ForgottenBlobs
  readonly composes: Composes
  readonly gateDecisions: GateDecisions
  readonly gateStandings: GateStandings
  readonly deployments: Deployments
  readonly observations: Observations
}

/** What may be read without a transaction. Everything that writes needs one. */
export type Reads = {
  readonly owners: Pick<Owners, 'find' | 'among' | 'withSubject' | 'page'>
  readonly tokens: Pick<Tokens, 'withSecret' | 'page'>
  readonly verifications: Pick<
    Verifications,
    'read' | 'recipe' | 'page' | 'known' | 'knownBy' | 'open' | 'claims' | 'claimsOfUnbuilt' | 'openOf' | 'rebuilt' | 'chosenLast'
  >
  readonly attempts: Pick<Attempts, 'read' | 'of' | 'tries' | 'expired'>
  readonly workers: Pick<Workers, 'find' | 'page' | 'withKey' | 'anyFor' | 'alive' | 'builders'>
  readonly events: Pick<Events, 'after' | 'lines'>
  readonly attestations: Pick<Attestations, 'of' | 'read' | 'rebuildersOf' | 'about' | 'among' | 'waiting' | 'page' | 'due' | 'backlog'>
  readonly blobs: Pick<Blobs, 'of' | 'known' | 'partsOf' | 'toBuildFrom' | 'shownAs'>
  readonly uploads: Pick<Uploads, 'received' | 'held'>
  readonly builders: Pick<Builders, 'find' | 'page'>
  readonly handedBlobs: Pick<HandedBlobs, 'among'>
  readonly composes: Pick<Composes, 'admittedFor' | 'ofApp' | 'isKept'>
  readonly gateDecisions: Pick<GateDecisions, 'ofApp'>
  readonly gateStandings: Pick<GateStandings, 'read' | 'unsigned' | 'summariesOf' | 'asked'>
  readonly deployments: Pick<Deployments, 'read' | 'page' | 'alive' | 'aliveOf' | 'hasCompose' | 'withBytes'>
  readonly observations: Pick<Observations, 'read' | 'ofApp'>
}

type AttemptJobs = { readonly [Q in `attempt-${AttemptRoute}`]: { readonly attemptId: string } }

/** What waits to be done, by queue: preparing and deciding a verification, an attempt, signing a statement about it or about what a gate says, telling a callback URL, a step
 * of a deployment. */
export type JobKinds = AttemptJobs & {
  readonly preparation: { readonly verificationId: string }
  readonly decision: { readonly verificationId: string }
  readonly signing: { readonly verificationId: string; readonly predicateType: string }
  /** Signing how an app-compose stands with a policy. */
  readonly summary: StandingKey
  /** `failed`: how often it was tried before. */
  readonly callback: { readonly verificationId: string; readonly failed?: number }
  readonly deployment: { readonly deploymentId: string }
  readonly observation: { readonly deploymentId: string }
}
export type JobKind = keyof JobKinds
export type AttemptQueue = keyof AttemptJobs

/** A job that was taken. `tries` counts from 1. */
export type TakenJob<K extends JobKind> = { readonly id: string; readonly tries: number; readonly data: JobKinds[K] }

/** The queue, bound to a transaction: what is done here happens with everything else in it, or not at all. */
export interface Jobs {
  /** False where the job is there already: one attempt is one job. `group` is what `take` passes by. */
  enqueue<K extends JobKind>(
    kind: K,
    data: JobKinds[K],
    o?: { readonly after?: Date; readonly priority?: number; readonly group?: string },
  ): Promise<boolean>
  /** The next job, of none of these groups. */
  take<K extends JobKind>(kind: K, o?: { readonly except?: readonly string[] }): Promise<TakenJob<K> | undefined>
  /** Keeps a job that is being worked on; false where somebody else may have it by now. */
  touch(kind: JobKind, job: Pick<TakenJob<JobKind>, 'id' | 'tries'>): Promise<boolean>
  complete(kind: JobKind, id: string): Promise<void>
  /** Back into the queue after a delay that grows, or at once; at the cap to the dead ones. */
  retry(kind: JobKind, job: Pick<TakenJob<JobKind>, 'id' | 'tries'>, o?: { readonly atOnce?: boolean }): Promise<void>
  cancel(kind: JobKind, id: string): Promise<void>
  /** An attempt of which the queue has given up. Signing is never given up. */
  takeDead(): Promise<TakenJob<AttemptQueue> | undefined>
  completeDead(id: string): Promise<void>
}

/** What one transaction works with. None of it may be used after its end. */
export type Unit = Repositories & { readonly jobs: Jobs; readonly notices: Notices }

export interface UnitOfWork {
  /**
   * Runs `work` in a transaction, the only way to open one: what it did is there as a whole when this resolves, and not at all when it
   * rejects. Nothing slow belongs inside. Where the database had to choose between two transactions it runs again, so it may have no
   * other effects. Repositories from elsewhere fail inside it with `query-outside-transaction`.
   */
  run<T>(work: (unit: Unit) => Promise<T>): Promise<T>
}
