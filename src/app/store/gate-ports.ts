import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { BootInfo } from '../gate/boot-info.ts'
import type { Decision } from '../gate/decision.ts'
import type { StandingResult } from '../gate/standing-result.ts'
import type { Owner } from './records.ts'

/** An app-compose that somebody admitted for an app. */
export type AdmittedCompose = { readonly appId: string; readonly composeHash: Sha256; readonly owner: Owner; readonly admittedAt: Date }

export interface Composes {
  /** Notes it, and that its bytes, which are in the store of blobs, are kept. Again changes nothing; gives whether it was news. */
  admit(o: { appId: string; composeHash: Sha256; size: number; ownerId: string; at: Date }): Promise<boolean>
  /** Who admitted it for this app, the first before others; at most a hundred. */
  admittedFor(appId: string, composeHash: Sha256): Promise<readonly AdmittedCompose[]>
  /** Those of an app, the newest first; at most `limit`. */
  ofApp(appId: string, limit: number): Promise<readonly AdmittedCompose[]>
  /** Whether its bytes are kept: admitted for whichever app, or part of a deployment. */
  isKept(composeHash: Sha256): Promise<boolean>
}

export type AppDecision = Decision & { readonly app: NonNullable<Decision['app']> }

/** An answer that was given, and how often since it was last noted. */
export type AnsweredGuest = {
  readonly asked: 'kms-app' | 'gateway'
  readonly answer: Sha256
  readonly decision: AppDecision
  readonly count: number
  readonly firstAt: Date
  readonly lastAt: Date
}

export interface GateDecisions {
  /** Adds to what was answered before. */
  note(answered: readonly AnsweredGuest[]): Promise<void>
  /** Of an app, the newest first; at most `limit`. */
  ofApp(appId: string, limit: number): Promise<readonly AnsweredGuest[]>
  /** Forgets what was last answered before a time, at most `limit`; says how many. */
  sweep(before: Date, limit: number): Promise<number>
}

/** An app-compose under a policy. */
export type StandingKey = { readonly policySha256: Sha256; readonly appId: string; readonly composeHash: Sha256 }

/** How an app-compose was found to stand with a policy. */
export type FoundStanding = {
  /** What the policy was asked under. */
  readonly policy: string
  readonly decision: AppDecision
  readonly result: StandingResult
  /** Whether somebody admitted it who may. */
  readonly admitted: boolean
  readonly guest: BootInfo
  /** 0: the guest was denied; 1: a gateway asked about it, 2: a KMS did. What ranks higher is kept. */
  readonly guestRank: 0 | 1 | 2
  readonly at: Date
}

export type Standing = StandingKey & {
  readonly policy: string
  readonly result: StandingResult
  readonly admitted: boolean
  /** Counts changes that are to be signed. */
  readonly changes: number
  /** The decision of the last one. */
  readonly document: Decision
  /** The last of them that is signed; 0: none is. */
  readonly signedChange: number
  readonly signedResult: StandingResult | null
  readonly signedAt: Date | null
  readonly guest: BootInfo
  readonly guestRank: number
  readonly lastAt: Date
}

/** A signed summary of how an app-compose stands. */
export type Summary = StandingKey & { readonly attestationId: string; readonly change: number; readonly result: StandingResult }

export interface GateStandings {
  /** Notes them, unless something later was noted. Gives those of which something is to be signed by that, and was not before. */
  note(found: readonly FoundStanding[]): Promise<readonly Standing[]>
  read(key: StandingKey): Promise<Standing | undefined>
  /** Nobody else can change it until the transaction ends. */
  hold(key: StandingKey): Promise<Standing | undefined>
  /** Notes what is signed, of a standing that is held. */
  summarise(summary: Summary, at: Date): Promise<void>
  /** Of which something is to be signed, the longest waiting first. */
  unsigned(limit: number): Promise<readonly StandingKey[]>
  /** The newest summary of each app-compose of an app under each policy. */
  summariesOf(appId: string): Promise<readonly Summary[]>
  /** The newest of each app-compose that the policies of this name were asked about since a time; those that were let in first. */
  asked(o: { policy: string; since: Date; limit: number }): Promise<readonly Standing[]>
  /** Forgets those of which nothing was ever signed, nor is to be, last asked about before a time; at most `limit`, and says how many. */
  sweep(before: Date, limit: number): Promise<number>
}
