import { z } from 'zod'

/** `refuse` stops a recipe before anything runs; `warn` travels with the verdict; `info` explains. */
export const Severity = z.enum(['refuse', 'warn', 'info'])
export type Severity = z.infer<typeof Severity>

/** One reason for a difference or an objection. */
export const Finding = z.strictObject({
  /** Stable id in kebab-case, listed in docs/recipe-rules.md or docs/explain-rules.md. */
  rule: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  severity: Severity,
  /** Path in the source (recipe rules) or in the artifact (explanations); null where it is about the whole. */
  path: z.string().nullable(),
  /** 1-based line in `path`. */
  line: z.int().positive().nullable(),
  /** One sentence: what is the matter here. */
  message: z.string(),
  /** The facts that the message rests on, as short text lines; bounded by whoever makes the finding. */
  evidence: z.array(z.string()),
  /** What to do about it, in mkosi's own terms. */
  remedy: z.string(),
})
export type Finding = z.infer<typeof Finding>
