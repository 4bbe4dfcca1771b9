import type { Outcome, Stage } from '../../../verifier/model/attempt.ts'
import type { Tier } from '../../../verifier/model/comparison.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { Verdict } from '../../../verifier/model/verdict.ts'
import type { DeploymentState } from '../deploy/deployment.ts'
import type { StandingResult } from '../gate/standing-result.ts'
import type { Inspection } from '../inspect/inspection.ts'
import type { StoredAttempt } from '../store/records.ts'
import type { JobKind } from '../store/store-ports.ts'

type OfVerification = { readonly verification: string }
type OfDeployment = { readonly deployment: string }
type OfAttempt = OfVerification & { readonly attempt: string; readonly number: number; readonly mode: 'live' | 'replay' }
/** `error` is whatever was thrown: a listener shows its code where it is a `Failure`, and no text of it. */
type Thrown = { readonly error: unknown }
/** `tries` counts from 1; `nextAt` is when it is tried again, null: never. */
type Retried = Thrown & { readonly tries: number; readonly nextAt: Date | null }

/**
 * What happens in the service, for whoever keeps logs and figures. Facts are ids, words of ours, numbers and times: never a claim, a token,
 * a key or a text that somebody else wrote. Ids are those of the store.
 */
export type ServiceFacts = {
  readonly started: { readonly database: 'pglite' | 'postgres'; readonly worker: 'in-process' | 'none' }
  readonly stopping: { readonly graceSeconds: number }
  readonly stopped: { readonly clean: boolean }
  /** `joined`: the same submission was open, or was sent before. */
  readonly submissionAccepted: OfVerification & { readonly owner: string; readonly trusted: boolean; readonly joined: boolean }
  readonly submissionPrepared: OfVerification & { readonly architecture: string; readonly locked: boolean }
  readonly submissionReused: OfVerification & { readonly from: string }
  readonly verificationCancelled: OfVerification & { readonly owner: string }
  /** `waitedSeconds`: from when it was opened; null for a further try. */
  readonly attemptLeased: OfAttempt & { readonly worker: string; readonly waitedSeconds: number | null }
  /** The worker was not heard of any more. `givenUp`: it is not tried again. */
  readonly leaseLost: OfAttempt & { readonly worker: string; readonly givenUp: boolean }
  /** A worker reported. `state` is `queued` where the infrastructure failed and it is tried again. */
  readonly attemptEnded: OfAttempt & {
    readonly worker: string
    readonly outcome: Outcome
    readonly state: 'committed' | 'queued'
    readonly stages: readonly Pick<Stage, 'name' | 'ms'>[]
  }
  /** What a worker sent about an attempt was not taken. */
  readonly reportRefused: Thrown & { readonly attempt: string; readonly worker: string }
  readonly workerSeen: { readonly worker: string; readonly place: 'in-process' | 'remote'; readonly architecture: string }
  readonly verdictGiven: OfVerification & { readonly verdict: Verdict; readonly tier: Tier | null; readonly seconds: number }
  readonly signed: OfVerification & { readonly predicateType: string; readonly attestation: string; readonly bundle: Sha256 }
  readonly signingFailed: OfVerification & Retried & { readonly predicateType: string }
  /** How an app-compose stands with a policy, which is named by its sha256, was signed. */
  readonly summarySigned: {
    readonly policy: Sha256
    readonly app: string
    readonly result: StandingResult
    readonly attestation: string
    readonly bundle: Sha256
  }
  readonly summaryFailed: Retried & { readonly policy: Sha256; readonly app: string }
  readonly callbackSent: OfVerification & { readonly tries: number }
  readonly callbackFailed: OfVerification & Retried
  /** A job of the coordinator's own failed; those of signing and callbacks tell more by their own events. */
  readonly jobFailed: Retried & { readonly kind: JobKind; readonly job: string }
  readonly housekept: {
    readonly what:
      | 'blobs'
      | 'uploads'
      | 'received-uploads'
      | 'idempotency-keys'
      | 'nonces'
      | 'artifacts'
      | 'gate-decisions'
      | 'observations'
      | 'gate-standings'
    readonly count: number
  }
  /** `route` is the pattern of the path, such as `/v1/attempts/:id`; `-` where none fits. */
  readonly requestAnswered: {
    readonly method: string
    readonly route: string
    readonly status: number
    readonly ms: number
    /** Of the failure that the answer says; null where it says none. */
    readonly code: string | null
  }
  /** A request met an error that no client caused. */
  readonly requestFailed: Thrown
  /** A KMS or a gateway asked whether a guest may run. `policy` is a name that the operator gave. */
  readonly guestAnswered: { readonly policy: string; readonly asked: 'kms-app' | 'kms-self' | 'gateway'; readonly allowed: boolean }
  /** Something is to be deployed, or, where it is `announced`, observed. `target` and `policy` are names that the operator gave. */
  readonly deploymentOrdered: OfDeployment & {
    readonly owner: string
    readonly state: 'ordered' | 'announced'
    readonly target: string | null
    readonly policy: string | null
  }
  /** It has come to another state. `code` says why it ended otherwise than running. */
  readonly deploymentAdvanced: OfDeployment & { readonly target: string; readonly state: DeploymentState; readonly code: string | null }
  /** What was deployed was looked at; `isNew`: it is not as it was. `code` says why nobody could. */
  readonly observed: OfDeployment & {
    readonly verdict: Inspection['verdict'] | null
    readonly code: string | null
    readonly isNew: boolean
  }
  /** At the start: what was open and had no job that leads on. */
  readonly jobsRepaired: { readonly count: number }
  /** An identity token did not count; `why` is a word of ours. */
  readonly identityRefused: { readonly why: string }
  /** There was no engine for the worker of this process at the start, and now there is. */
  readonly workerBegun: { readonly architecture: string }
  /** The worker of this process begins nothing for now. */
  readonly workerHolding: { readonly code: string }
  /** Something failed behind everybody's back. `where` is a word of ours. */
  readonly trouble: Thrown & { readonly where: string }
}

/** What events say of an attempt. */
export function factsOf({ id, verificationId, number, mode }: Pick<StoredAttempt, 'id' | 'verificationId' | 'number' | 'mode'>): OfAttempt {
  return { verification: verificationId, attempt: id, number, mode }
}

/** One function a kind of event. None of them throws, whatever becomes of the log. */
export type ServiceEvents = { readonly [K in keyof ServiceFacts]: (facts: ServiceFacts[K]) => void }

const KINDS: Readonly<Record<keyof ServiceFacts, true>> = {
  started: true,
  stopping: true,
  stopped: true,
  submissionAccepted: true,
  submissionPrepared: true,
  submissionReused: true,
  verificationCancelled: true,
  attemptLeased: true,
  leaseLost: true,
  attemptEnded: true,
  reportRefused: true,
  workerSeen: true,
  verdictGiven: true,
  signed: true,
  signingFailed: true,
  summarySigned: true,
  summaryFailed: true,
  callbackSent: true,
  callbackFailed: true,
  jobFailed: true,
  housekept: true,
  requestAnswered: true,
  requestFailed: true,
  guestAnswered: true,
  deploymentOrdered: true,
  deploymentAdvanced: true,
  observed: true,
  jobsRepaired: true,
  identityRefused: true,
  workerBegun: true,
  workerHolding: true,
  trouble: true,
}
export const SERVICE_EVENTS = Object.keys(KINDS) as readonly (keyof ServiceFacts)[]

/** Tells each listener what it listens to. One that throws is left out: no event may fail what it tells of. */
export function tellAll(...listeners: readonly Partial<ServiceEvents>[]): ServiceEvents {
  const tell = (kind: keyof ServiceFacts) => (facts: never) => {
    for (const listener of listeners)
      try {
        listener[kind]?.(facts)
      } catch {
        // There is nobody left to tell.
      }
  }
  return Object.fromEntries(SERVICE_EVENTS.map((kind) => [kind, tell(kind)])) as ServiceEvents
}
