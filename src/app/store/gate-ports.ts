import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { Decision } from '../gate/decision.ts'
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
  /** Whether its bytes are kept, for whichever app. */
  isKept(composeHash: Sha256): Promise<boolean>
}

/** An answer that was given, and how often since it was last noted. */
export type AnsweredGuest = {
  readonly asked: 'kms-app' | 'gateway'
  readonly answer: Sha256
  readonly decision: Decision & { readonly app: NonNullable<Decision['app']> }
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
