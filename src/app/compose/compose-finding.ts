import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'

/** `deny` stops a deployment unless a policy allows it by name; `warn` is for a reader to weigh; `info` explains. */
export const ComposeSeverity = z.enum(['deny', 'warn', 'info'])
export type ComposeSeverity = z.infer<typeof ComposeSeverity>

/** The two texts that a finding can be about: the app-compose, and the Compose file inside of it. */
export const ComposePart = z.enum(['app-compose', 'docker-compose'])
export type ComposePart = z.infer<typeof ComposePart>

/** Requirements of ERC-733, stage 1 ("dev-proof"), by their numbers in its checklist. */
export const STAGE_1 = {
  1: 'on-chain attestation',
  2: 'auditable code',
  3: 'reproducible code measurement',
  4: 'no access of the developer to secrets',
  5: 'upgrades with notice',
  6: 'no centralized dependency',
  7: 'no backdoor or debug path',
} as const
export type Stage1Item = keyof typeof STAGE_1

/** One thing that an app-compose does which the image's attestation says nothing of, or which undoes it. */
export const ComposeFinding = z.strictObject({
  /** Stable id in kebab-case, listed in docs/compose-rules.md. */
  rule: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  severity: ComposeSeverity,
  part: ComposePart,
  /** JSON Pointer (RFC 6901) within the part; empty where it is about the whole. */
  pointer: z.string(),
  /** 1-based, within the part's own text. Null where it is about what is not there. */
  line: z.int().positive().nullable(),
  column: z.int().positive().nullable(),
  /** One sentence: what is the matter here. */
  message: z.string(),
  /** What stands there, as short text; control characters made visible. */
  evidence: z.array(z.string()),
  /** Of the value that it is about (of a text its UTF-8, of anything else its JSON with sorted keys): by it a policy allows that value alone. */
  sha256: Sha256.nullable(),
  why: z.string(),
  remedy: z.string(),
  /** The requirement of ERC-733's stage 1 that it answers; null: none. */
  stage1: z.int().min(1).max(7).nullable(),
})
export type ComposeFinding = z.infer<typeof ComposeFinding>
