import { bestOf } from './attested.ts'
import { DECISION_SCHEMA, type Decision } from './decision.ts'
import type { GateFacts, ImageFacts } from './facts.ts'
import type { JudgedImage, Judging } from './gate-rule.ts'
import type { Policy } from './policy.ts'
import type { LoadedPolicy } from './read-policy.ts'
import { GATE_RULES } from './rules/all.ts'

/**
 * What a policy says to facts: the one function that command line, API, deployment and both webhooks ask. Every rule is asked, and one `fail` denies.
 * What was not found out is a fail; nothing passes for want of a rule. A pure function.
 */
export function decideGate({ policy, sha256 }: LoadedPolicy, facts: GateFacts): Decision {
  const judging = judgingOf(policy, facts)
  const rules = GATE_RULES.flatMap((rule) => [...rule.check(judging)].map((said) => ({ rule: rule.id, ...said })))
  const judged = rules.some(({ result }) => result === 'fail') ? 'deny' : 'allow'
  const held = [...judging.images.map((image) => image.held), judging.osImage]
  return {
    schema: DECISION_SCHEMA,
    decision: policy.mode === 'observe' ? 'allow' : judged,
    judged,
    mode: policy.mode,
    policy: { name: policy.name, sha256 },
    at: facts.now.toISOString(),
    app: facts.app === null ? null : { id: facts.app.id, composeHash: facts.app.compose.hash },
    images: facts.images.map(({ service, name, digest }) => ({ service, name, digest })),
    rules,
    attestations: [...new Set(held.flatMap((one) => (one?.passes === true ? [one.bundle] : [])))],
  }
}

function judgingOf(policy: Policy, facts: GateFacts): Judging {
  return { policy, facts, images: facts.images.map((image) => judgedImage(image, policy, facts.now)), osImage: judgedOs(policy, facts) }
}

function judgedImage(facts: ImageFacts, policy: Policy, now: Date): JudgedImage {
  const { name, digest, attestations, service } = facts
  const subject = service === null ? (name ?? 'image') : `service ${service}`
  const listed = name !== null && Object.hasOwn(policy.images, name) ? policy.images[name] : undefined
  const source = listed === undefined ? undefined : policy.sources[listed.source]
  const held =
    source === undefined || digest === null ? undefined : bestOf(attestations, { policy, source, digest, kind: 'oci-manifest', now })
  return { facts, subject, listed: source !== undefined, held }
}

function judgedOs(policy: Policy, { guest, now }: GateFacts): Judging['osImage'] {
  const image = guest?.osImage ?? null
  const listed = image === null ? undefined : policy.osImages[image.hash]
  if (image === null || listed === undefined || !('source' in listed)) return undefined
  const source = policy.sources[listed.source]
  return source === undefined ? undefined : bestOf(image.attestations, { policy, source, digest: image.hash, kind: 'dstack-os-image', now })
}

/** Why a decision is what it is, in one line: the first rule that failed. */
export function reasonOf({ rules, judged }: Decision): string {
  const [first, ...more] = rules.filter(({ result }) => result === 'fail')
  if (first === undefined) return judged === 'allow' ? 'every rule passes' : 'no rule passes'
  return `${first.rule} (${first.subject}): ${first.reason}${more.length === 0 ? '' : `, and ${more.length} more`}`
}
