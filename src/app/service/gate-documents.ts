import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { AppId } from '../compose/compose-hash.ts'
import { ComposeLint } from '../compose/lint-compose.ts'
import { Decision } from '../gate/decision.ts'
import { PolicyName } from '../gate/policy.ts'
import { OwnerView } from './api-documents.ts'

const Instant = z.iso.datetime()

export const ComposeView = z.strictObject({
  app: AppId,
  composeHash: Sha256.describe('sha256 of the app-compose’s bytes, which dstack measures.'),
  admittedBy: OwnerView.describe('Who wants the app to run it; whether it may is for a policy to say.'),
  admittedAt: Instant,
  links: z.strictObject({ bytes: z.string() }),
})
export type ComposeView = z.infer<typeof ComposeView>

export const AdmitAnswer = z.strictObject({
  app: AppId,
  composeHash: Sha256,
  lint: ComposeLint.describe('What the rules of app-composes say of it.'),
  links: z.strictObject({ bytes: z.string(), composes: z.string() }),
})
export type AdmitAnswer = z.infer<typeof AdmitAnswer>

export const GuestDecisionView = z.strictObject({
  asked: z.enum(['kms-app', 'gateway']).describe('Who asked: a KMS before it released keys, or a gateway before it gave traffic.'),
  count: z.int().positive().describe('How often this was the answer.'),
  firstAt: Instant,
  lastAt: Instant,
  decision: Decision.describe('The first time that it was.'),
  links: z.strictObject({
    summary: z
      .string()
      .nullable()
      .describe('The newest signed summary of how this app-compose stands with this policy; null where none is signed yet.'),
  }),
})
export type GuestDecisionView = z.infer<typeof GuestDecisionView>

export const PolicyView = z.strictObject({
  name: PolicyName.describe('What it is asked under: the name of its file.'),
  title: z.string().nullable().describe('What it calls itself, and decisions call it.'),
  sha256: Sha256.describe('Of its bytes: what decisions and statements know it by.'),
  followed: z.boolean().describe('Whether it can be followed. Where it cannot, nobody is let in by it, and its bytes are not shown.'),
  mode: z.enum(['enforce', 'observe']).nullable(),
  links: z.strictObject({ self: z.string(), bytes: z.string().nullable() }),
})
export type PolicyView = z.infer<typeof PolicyView>

const asked = { policy: PolicyName.describe('One of /v1/policies.') }
/** One question to a gate. What runs already says its app itself. */
export const DecisionRequest = z.union([
  z.strictObject({
    ...asked,
    app: z
      .strictObject({ id: AppId, composeHash: Sha256 })
      .describe('An app, by the hash of an app-compose that was admitted for it. Nothing is asked of a guest.'),
  }),
  z.strictObject({
    ...asked,
    guest: z
      .record(z.string(), z.unknown())
      .describe('What a KMS or a gateway of dstack says of a guest, as it posts it (docs/policy.md).'),
  }),
  z.strictObject({ ...asked, image: z.string().max(1024).describe('An image alone, by the digest of its manifest: NAME@sha256:….') }),
])
export type DecisionRequest = z.infer<typeof DecisionRequest>
