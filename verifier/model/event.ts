import { z } from 'zod'
import { StageName } from './attempt.ts'
import { Finding } from './finding.ts'

const base = {
  /** Rises by one within an attempt, from 1. */
  seq: z.int().positive(),
  attempt: z.int().nonnegative(),
  /** ISO 8601 UTC. */
  at: z.string(),
}

/** What happens while an attempt runs: the same stream for terminal, server-sent events and worker. Attempt 0 is the verification itself. */
export const AttemptEvent = z.discriminatedUnion('kind', [
  z.strictObject({ ...base, kind: z.literal('stage-started'), stage: StageName }),
  z.strictObject({ ...base, kind: z.literal('stage-ended'), stage: StageName, ms: z.number() }),
  z.strictObject({ ...base, kind: z.literal('bytes'), stage: StageName, done: z.number(), total: z.number().nullable() }),
  /** One line, terminal escapes made visible, at most 4096 characters. */
  z.strictObject({ ...base, kind: z.literal('log'), line: z.string() }),
  z.strictObject({ ...base, kind: z.literal('finding'), finding: Finding }),
])
export type AttemptEvent = z.infer<typeof AttemptEvent>

type Unnumbered<E> = E extends unknown ? Omit<E, 'seq' | 'at' | 'attempt'> : never
/** An event before whoever runs the attempt numbers and dates it. */
export type EventBody = Unnumbered<AttemptEvent>
export type EmitEvent = (event: EventBody) => void
