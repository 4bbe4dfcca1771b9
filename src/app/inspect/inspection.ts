import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'

export const INSPECTION_SCHEMA = 'bitwitness/inspection/v1'

/** What lines are about, in the order of the transcript. */
export const InspectionSection = z.enum(['live', 'hardware', 'boot', 'app', 'images', 'policy', 'connection'])
export type InspectionSection = z.infer<typeof InspectionSection>

/** One question about what runs, and what was found. */
export const InspectionLine = z.strictObject({
  /** Stable id in kebab-case, listed in docs/inspect.md. Lines about one image each share their id. */
  id: z.string(),
  section: InspectionSection,
  title: z.string(),
  /** `skip`: it could not be asked. `info`: somebody says so, and nothing that was checked binds them. */
  status: z.enum(['pass', 'fail', 'skip', 'info']),
  /** What was seen; text of strangers among it. Null where nothing was. */
  detail: z.string().nullable(),
  /** Why the status is what it is, in one sentence of ours. */
  reason: z.string(),
  /** Whether `verified` takes that this passes. */
  needed: z.boolean(),
})
export type InspectionLine = z.infer<typeof InspectionLine>

/**
 * What a running app shows of itself. `verified`: every line that is needed passes. `failed`: a line fails. `simulated`: none fails, and quotes were
 * held against a key that stands in for Intel's. `unproven`: everything else.
 */
export const Inspection = z.strictObject({
  schema: z.literal(INSPECTION_SCHEMA),
  verdict: z.enum(['verified', 'simulated', 'unproven', 'failed']),
  at: z.string(),
  /** As it was inspected, in its one spelling. */
  url: z.string(),
  app: z.strictObject({
    /** As the event log says, where its replay gives the register of the quote; else as the URL says; hex. Null where neither does. */
    id: z.string().nullable(),
    instanceId: z.string().nullable(),
    composeHash: Sha256.nullable(),
    /** As the guest says, unless the line `boot-measurement` passes. */
    osImageHash: Sha256.nullable(),
  }),
  /** Platform state as the quote's verification says it; null where it was not verified. */
  tcb: z.strictObject({ status: z.string(), advisories: z.array(z.string()) }).nullable(),
  lines: z.array(InspectionLine),
  /** By service of the Compose file that the guest shows. */
  images: z.array(z.strictObject({ service: z.string(), name: z.string().nullable(), digest: Sha256.nullable() })),
  /** sha256 of the quote's bytes. */
  quote: Sha256.nullable(),
  /** sha256 of the app-compose's bytes as the guest shows them. */
  appCompose: Sha256.nullable(),
  /** The policy that images were held against; null: none was given. */
  policy: z.strictObject({ name: z.string(), sha256: Sha256 }).nullable(),
})
export type Inspection = z.infer<typeof Inspection>

/** What lines come to. A stand-in's quote is never more than simulated, and a line that fails is always heard. A pure function. */
export function verdictOf(
  lines: readonly Pick<InspectionLine, 'id' | 'status' | 'needed'>[],
  o: { readonly simulated: boolean },
): Inspection['verdict'] {
  if (lines.some(({ status }) => status === 'fail')) return 'failed'
  const signed = lines.some(({ id, status }) => id === 'quote-signature' && status === 'pass')
  if (o.simulated) return signed ? 'simulated' : 'unproven'
  const needed = lines.filter((line) => line.needed)
  return signed && needed.every(({ status }) => status === 'pass') ? 'verified' : 'unproven'
}
