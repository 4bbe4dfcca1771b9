import { z } from 'zod'
import { jsonOf } from '../../model/json-of.ts'

/** What the agent says at the end. It comes out of a hostile place: it decides nothing but which reason we give. */
const AgentResult = z.object({
  exit: z.int().nullable(),
  full: z.boolean(),
  cpuMs: z.number().nonnegative(),
  peakMemoryBytes: z.number().nonnegative(),
  oomKills: z.number().nonnegative(),
  forksDenied: z.number().nonnegative(),
})
export type AgentResult = z.infer<typeof AgentResult>

const AgentEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('build') }),
  z.object({ kind: z.literal('collect'), summary: z.unknown() }),
  z.object({
    kind: z.literal('output'),
    index: z.int().nonnegative().max(64),
    name: z.string().max(1024),
    type: z.enum(['file', 'tree', 'other']),
    // A file of holes may say more than an integer holds; what counts is what comes.
    size: z.number().nonnegative(),
  }),
])
type AgentEvent = z.infer<typeof AgentEvent>

/** Undefined for anything but a result. */
export function parseResult(payload: Uint8Array): AgentResult | undefined {
  const parsed = AgentResult.safeParse(jsonOf(Buffer.from(payload).toString('utf8')))
  return parsed.success ? parsed.data : undefined
}

/** Undefined for anything but an event. */
export function parseEvent(payload: Uint8Array): AgentEvent | undefined {
  const parsed = AgentEvent.safeParse(jsonOf(Buffer.from(payload).toString('utf8')))
  return parsed.success ? parsed.data : undefined
}
