import { PREDICATE_TYPE } from '../../../attestations/statement/predicate-types.ts'
import { ReproducedPredicate } from '../../../attestations/statement/reproduced-predicate.ts'
import type { AttestationCheck } from '../../../attestations/verify/attestation-check.ts'
import { nameMatches } from '../../../attestations/verify/name-match.ts'
import type { ClaimKind } from '../../../verifier/model/claim.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { HeldAttestation } from './facts.ts'
import type { Policy, PolicySource } from './policy.ts'

/** A question about one attestation, in the order in which they are asked. */
export const ATTESTATION_QUESTIONS = [
  'attested',
  'source-admitted',
  'owner-admitted',
  'builder-admitted',
  'tier-admitted',
  'attempts-enough',
  'attestation-fresh',
  'indexes-fresh',
] as const
export type AttestationQuestion = (typeof ATTESTATION_QUESTIONS)[number]

export type Answer = { readonly question: AttestationQuestion; readonly good: boolean; readonly reason: string }

/** What came of holding one attestation against a policy. The answers end with the first that is not good. */
export type Held = { readonly bundle: Sha256; readonly answers: readonly Answer[]; readonly passes: boolean }

const DAY_MS = 86_400_000
/** A clock of another machine may be ahead by so much. */
const SKEW_MS = 300_000

/**
 * The attestation that goes furthest: every condition has to hold of one and the same. What one says of a source and another of a builder adds
 * up to nothing.
 */
export function bestOf(attestations: readonly HeldAttestation[], o: Omit<Asked, 'predicate'>): Held | undefined {
  const held = attestations.map(({ bundle, check }) => ({ bundle, ...hold(check, o) }))
  return held.find(({ passes }) => passes) ?? held.toSorted((a, b) => b.answers.length - a.answers.length)[0]
}

type Asked = {
  readonly policy: Policy
  readonly source: PolicySource
  readonly digest: Sha256
  /** As what the digest must have been claimed: a file can hold the bytes of another image's manifest. */
  readonly kind: ClaimKind
  readonly now: Date
  readonly predicate: ReproducedPredicate
}

function hold(check: AttestationCheck, o: Omit<Asked, 'predicate'>): Omit<Held, 'bundle'> {
  const answers: Answer[] = []
  const first = attested(check, o.digest)
  answers.push(first)
  const predicate = predicateOf(check)
  if (!first.good || predicate === undefined) return { answers, passes: false }
  for (const ask of QUESTIONS) {
    const answer = ask({ ...o, predicate })
    answers.push(answer)
    if (!answer.good) return { answers, passes: false }
  }
  return { answers, passes: true }
}

function attested({ verdict, code, statement }: AttestationCheck, digest: Sha256): Answer {
  const question = 'attested'
  if (verdict !== 'verified' || statement === null)
    return { question, good: false, reason: `an attestation does not hold (${code ?? 'unverified'})` }
  if (statement.predicateType !== PREDICATE_TYPE.reproduced)
    return { question, good: false, reason: 'what is attested is no bit-exact reproduction' }
  const about = statement.subject.some(({ digest: { sha256 } }) => sha256 === digest)
  if (!about) return { question, good: false, reason: 'the attestation is about another artifact' }
  return { question, good: true, reason: 'one of the policy’s signers attests that it was reproduced bit for bit' }
}

function predicateOf({ statement }: AttestationCheck): ReproducedPredicate | undefined {
  return ReproducedPredicate.safeParse(statement?.predicate).data
}

type Ask = (asked: Asked) => Answer

const answer = (question: AttestationQuestion, good: boolean, [yes, no]: readonly [yes: string, no: string]): Answer => ({
  question,
  good,
  reason: good ? yes : no,
})

const sourceAdmitted: Ask = ({ predicate: { source }, source: wanted }) => {
  const question = 'source-admitted'
  if (source.kind !== 'git') return answer(question, false, ['', 'it was rebuilt from an archive, which belongs to no repository'])
  if (source.url !== wanted.repository) return answer(question, false, ['', 'it was rebuilt from another repository than the policy names'])
  if (source.path !== wanted.path) return answer(question, false, ['', 'it was rebuilt from another folder of the repository'])
  const { ref } = source
  if (ref === null) return answer(question, false, ['', 'the commit is reachable from no branch or tag of the repository'])
  return answer(
    question,
    wanted.refs.some((pattern) => nameMatches({ pattern }, ref)),
    [
      'it was rebuilt from the repository, folder and branch or tag that the policy names',
      'the commit is reachable from no branch or tag that the policy names',
    ],
  )
}

const ownerAdmitted: Ask = ({ predicate: { owner }, source }) =>
  answer('owner-admitted', owner !== null && source.owners.some((pattern) => nameMatches({ pattern }, owner)), [
    'who had it rebuilt may have',
    owner === null ? 'nobody is named who had it rebuilt' : 'somebody else had it rebuilt than the policy names',
  ])

const builderAdmitted: Ask = ({ predicate: { builder, attempts }, policy }) => {
  const used = [builder.digest, ...attempts.map((attempt) => attempt.builder)]
  return answer(
    'builder-admitted',
    used.every((one) => one !== null && policy.builders.includes(one)),
    ['it was rebuilt in a builder that the policy names', 'it was rebuilt in a builder that the policy does not name'],
  )
}

const tierAdmitted: Ask = ({ predicate: { tier, claims }, policy, digest, kind }) => {
  const claim = claims.find((one) => one.sha256 === digest && one.kind === kind)
  const tiers = claim?.observed.map((one) => one.tier) ?? []
  const good = policy.tiers.includes(tier) && tiers.length > 0 && tiers.every((one) => one !== null && policy.tiers.includes(one))
  return answer('tier-admitted', good, ['every attempt gave these bits', 'not every attempt gave these bits'])
}

const attemptsEnough: Ask = ({ predicate: { attempts }, policy }) => {
  const built = attempts.filter(({ outcome }) => outcome === 'built').length
  return answer('attempts-enough', built >= policy.attestations.attempts, [
    `${built} attempts agree`,
    `${built} attempts agree, and the policy asks for ${policy.attestations.attempts}`,
  ])
}

const attestationFresh: Ask = ({ predicate: { finishedAt }, policy, now }) => {
  const age = now.getTime() - Date.parse(finishedAt)
  return answer('attestation-fresh', age >= -SKEW_MS && age <= policy.attestations.maxAge * DAY_MS, [
    `it was rebuilt ${days(age)} ago`,
    age < -SKEW_MS
      ? 'it says that it was rebuilt in the future: a clock is wrong'
      : `it was rebuilt ${days(age)} ago, which is too long for the policy`,
  ])
}

const indexesFresh: Ask = ({ predicate: { inputs, finishedAt }, policy }) => {
  const question = 'indexes-fresh'
  const missing = policy.indexes.suites.find((suite) => !inputs.indexes.some((index) => index.suite === suite))
  if (missing !== undefined) return answer(question, false, ['', `no signed index of the suite ${missing} was used`])
  const ages = inputs.indexes.map(({ date }) => Date.parse(finishedAt) - Date.parse(date))
  const good = ages.every((age) => age <= policy.indexes.maxAge * DAY_MS)
  return answer(question, good, [
    'its packages were chosen by indexes of their time',
    'its packages were chosen by a signed index that is too old, or has no date',
  ])
}

const QUESTIONS: readonly Ask[] = [
  sourceAdmitted,
  ownerAdmitted,
  builderAdmitted,
  tierAdmitted,
  attemptsEnough,
  attestationFresh,
  indexesFresh,
]

function days(ms: number): string {
  const number = Math.max(0, Math.floor(ms / DAY_MS))
  return number === 1 ? '1 day' : `${number} days`
}
