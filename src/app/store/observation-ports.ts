import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { Inspection } from '../inspect/inspection.ts'
import type { Page, PageRequest } from './page.ts'

/** What was seen of a deployed app, once for each time that it changed. */
export type Observation = {
  readonly id: string
  readonly deploymentId: string
  /** As it was deployed, or announced. */
  readonly appId: string
  readonly url: string
  /** The first time that it was so; null: it could not be looked at, `code` says why. */
  readonly inspection: Inspection | null
  readonly code: string | null
  /** Of what was seen, without what changes each time. */
  readonly outcome: Sha256
  /** How often it was so, one time after the other. */
  readonly count: number
  readonly firstAt: Date
  readonly lastAt: Date
}

/** Without the document. */
export type ListedObservation = Omit<Observation, 'inspection'> & { readonly verdict: Inspection['verdict'] | null }

export interface Observations {
  /** Adds to the newest of its deployment where the outcome is the same, and is new otherwise; gives whether it was. */
  note(observation: Omit<Observation, 'count' | 'lastAt'>): Promise<boolean>
  read(id: string): Promise<Observation | undefined>
  /** Newest first. */
  ofApp(appId: string, request: PageRequest): Promise<Page<ListedObservation>>
  /** Forgets what was last so before a time, at most `limit`, but the newest of each deployment; says how many. */
  sweep(before: Date, limit: number): Promise<number>
}
