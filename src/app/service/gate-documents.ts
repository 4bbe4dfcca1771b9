import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { ComposeLint } from '../compose/lint-compose.ts'
import { Decision } from '../gate/decision.ts'
import { OwnerView } from './api-documents.ts'

const Instant = z.iso.datetime()
/** An app of dstack's, by 20 bytes as hex. */
export const AppId = z.string().regex(/^[0-9a-f]{40}$/)

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
})
export type GuestDecisionView = z.infer<typeof GuestDecisionView>
