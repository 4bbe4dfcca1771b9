import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { readComposeDocument } from './compose-document.ts'
import { ComposeFinding } from './compose-finding.ts'
import { runComposeRules } from './compose-rule.ts'
import { textOf, under } from './located.ts'
import { pinnedImage } from './pinned-image.ts'
import { COMPOSE_RULES } from './rules/all.ts'

export const COMPOSE_LINT_SCHEMA = 'bitwitness/compose-lint/v1'

/** What an app-compose, or a Compose file, would have a guest run, and what the rules say of it. `refused`: a finding of `deny`. */
export const ComposeLint = z.strictObject({
  schema: z.literal(COMPOSE_LINT_SCHEMA),
  verdict: z.enum(['accepted', 'refused']),
  kind: z.enum(['app-compose', 'docker-compose']),
  /** sha256 of the app-compose's bytes as they are, which dstack measures; null for a Compose file alone. */
  composeHash: Sha256.nullable(),
  /** By service, in the file's order; `digest` null where it is named by a tag or not at all. */
  images: z.array(z.strictObject({ service: z.string(), image: z.string().nullable(), digest: Sha256.nullable() })),
  findings: z.array(ComposeFinding),
})
export type ComposeLint = z.infer<typeof ComposeLint>

/** Reads bytes as `readComposeDocument` does, with its failures, and asks all rules. A pure function. */
export function lintCompose(bytes: Uint8Array): ComposeLint {
  const document = readComposeDocument(bytes)
  const findings = runComposeRules(COMPOSE_RULES, document)
  return {
    schema: COMPOSE_LINT_SCHEMA,
    verdict: findings.some(({ severity }) => severity === 'deny') ? 'refused' : 'accepted',
    kind: document.app === null ? 'docker-compose' : 'app-compose',
    composeHash: document.app?.composeHash ?? null,
    images: document.services.map(({ name, node }) => {
      const image = textOf(under(node, 'image')) ?? null
      return { service: name, image, digest: image === null ? null : (pinnedImage(image)?.digest ?? null) }
    }),
    findings,
  }
}
