import { z } from 'zod'
import { ImpactApp, PolicyImpact } from '../app/gate/policy-impact.ts'
import { AttestationView, OwnerView, UploadAnswer, VerificationView } from '../app/service/api-documents.ts'

/**
 * The documents of the service as a client takes them: what a newer service says beside what this version knows is left out, and no
 * reason to fail.
 */
const Attestation = z.object(AttestationView.shape).extend({
  /** Those about a verification. */
  verification: AttestationView.shape.verification.unwrap(),
  links: z.object(AttestationView.shape.links.shape),
})

export const VerificationAnswer = z.object(VerificationView.shape).extend({
  attestations: z.array(Attestation),
  /** What is yet to be signed: it is tried until it is. `lastCode` says why the last try failed. */
  unsigned: z.array(z.object({ predicateType: z.string(), tries: z.int().nonnegative(), lastCode: z.string().nullable() })),
  links: z.object(VerificationView.shape.links.shape),
})
export type VerificationAnswer = z.infer<typeof VerificationAnswer>

export const SubmittedAnswer = z.object({ verification: VerificationAnswer, joined: z.boolean(), notice: z.string().max(1000).nullable() })
export type SubmittedAnswer = z.infer<typeof SubmittedAnswer>

export const UploadedAnswer = z.object(UploadAnswer.shape)
/** What follows the last event. */
export const EndAnswer = z.object({
  verification: z.uuid(),
  state: z.enum(['finished', 'cancelled']),
  verdict: VerificationView.shape.verdict,
  tier: VerificationView.shape.tier,
})

/** What is known of a digest, newest first. */
export const KnownAnswer = z.object({ items: z.array(z.object({ verification: VerificationAnswer })).max(1000) })

export const AdmittedAnswer = z.object({ app: z.string(), composeHash: z.string() })
/** App-composes that were admitted for an app, and by whom. */
export const ComposesAnswer = z.object({
  items: z.array(z.object({ composeHash: z.string(), admittedBy: z.object(OwnerView.shape) })).max(1000),
})
export const AnnouncedAnswer = z.object({ id: z.uuid() })
export type ComposesAnswer = z.infer<typeof ComposesAnswer>

const { before, after } = PolicyImpact.shape.policy.shape
export const ImpactAnswer = z.object(PolicyImpact.shape).extend({
  policy: z.object({ name: z.string(), before: z.object(before.shape), after: z.object(after.shape) }),
  apps: z.array(z.object(ImpactApp.shape)).max(1000),
})
export type ImpactAnswer = z.infer<typeof ImpactAnswer>
