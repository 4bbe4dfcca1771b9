import type { Outcome } from '../../verifier/model/attempt.ts'
import type { EventBody } from '../../verifier/model/event.ts'

type OfAttempt = { readonly attempt: string; readonly verification: string; readonly number: number }

/** What a worker tells of itself. Codes are ours. */
export type WorkerNews =
  | (OfAttempt & { readonly kind: 'begun'; readonly mode: 'live' | 'replay' })
  | (OfAttempt & { readonly kind: 'event'; readonly event: EventBody })
  /** `queued`: it is tried again, by this worker or another. `refused`: by which code the coordinator did not take the outcome. */
  | (OfAttempt & {
      readonly kind: 'reported'
      readonly outcome: Outcome
      readonly state: 'committed' | 'queued'
      readonly refused: string | null
    })
  /** The attempt is not this worker's any more: what was done for it is dropped. */
  | (OfAttempt & { readonly kind: 'let-go'; readonly code: string })
  /** Its report was not taken, and never will be. */
  | (OfAttempt & { readonly kind: 'dropped'; readonly code: string })
  /** Nothing more is begun for now. */
  | { readonly kind: 'holding'; readonly code: string; readonly message: string }
  | { readonly kind: 'going-on' }
  | { readonly kind: 'draining'; readonly running: number; readonly graceMs: number }
