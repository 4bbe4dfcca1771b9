import type { z } from 'zod'
import { PREDICATE_TYPE } from '../statement/predicate-types.ts'
import { isPredicateType, PREDICATES } from '../statement/predicates.ts'
import type { RebuildResultPredicate } from '../statement/rebuild-result-predicate.ts'
import type { ReproducedPredicate } from '../statement/reproduced-predicate.ts'
import type { Statement } from '../statement/statement.ts'
import type { RejectionCode } from './rejections.ts'

export type PredicateReading =
  /** `madeAt`: when its maker says that it was made. */
  | { readonly kind: 'agrees'; readonly madeAt: Date }
  | { readonly kind: 'rejected'; readonly code: RejectionCode }
  /** Of a kind whose content is not ours to define: nothing is said of it. */
  | { readonly kind: 'unread' }

type Foreign = Statement<Readonly<Record<string, unknown>>>

/**
 * Whether a statement of one of our kinds says what its kind stands for. A type is a label that any signer can put on anything: a mismatch
 * labelled as reproduced is refused here, whoever signed it.
 */
export function readAgreeing(statement: Foreign): PredicateReading {
  const type = statement.predicateType
  if (!isPredicateType(type) || !isOurs(statement)) return { kind: 'unread' }
  const parsed = PREDICATES[type].safeParse(statement.predicate)
  if (!parsed.success) return { kind: 'rejected', code: saysOtherwise(statement) ? 'predicate-contradicts-type' : 'predicate-malformed' }
  return agrees(statement, parsed.data)
    ? { kind: 'agrees', madeAt: new Date(madeAt(parsed.data)) }
    : { kind: 'rejected', code: 'predicate-contradicts-type' }
}

/** SLSA's types are everybody's; of those, what another program made has another form, and is no forgery. */
function isOurs({ predicateType, predicate }: Foreign): boolean {
  const version =
    predicateType === PREDICATE_TYPE.provenance
      ? member(predicate, 'runDetails', 'builder', 'version')
      : predicateType === PREDICATE_TYPE.vsa
        ? member(predicate, 'verifier', 'version')
        : null
  return version === null || (isObject(version) && 'bitwitness' in version)
}

/** A verdict that belongs to another kind, however the rest looks. */
function saysOtherwise({ predicateType, predicate }: Foreign): boolean {
  const { verdict, tier } = predicate
  const isReproduction = verdict === 'reproduced' && tier === 'bit-exact'
  if (predicateType === PREDICATE_TYPE.reproduced) return typeof verdict === 'string' && !isReproduction
  if (predicateType === PREDICATE_TYPE.rebuildResult) return isReproduction || verdict === 'undecided'
  return false
}

type Ours = z.infer<(typeof PREDICATES)[keyof typeof PREDICATES]>

function agrees({ subject }: Foreign, predicate: Ours): boolean {
  if (!('claims' in predicate)) return true
  const claimed = new Set<string>(predicate.claims.map(({ sha256 }) => sha256))
  const subjects = new Set<string>(subject.map(({ digest }) => digest.sha256))
  if (claimed.size !== subjects.size || ![...claimed].every((digest) => subjects.has(digest))) return false
  if (!isOfOnePiece(predicate)) return false
  const exact = isExact(predicate)
  if (predicate.verdict === 'reproduced' && predicate.tier === 'bit-exact')
    return exact && predicate.reasons.length === 0 && allTheSame(predicate) && isOfArtifacts(predicate)
  // Attempts can agree on all that is claimed, and not on another artifact.
  return !exact || (predicate.verdict === 'nondeterministic' && !allTheSame(predicate))
}

type Judged = ReproducedPredicate | RebuildResultPredicate

/** What every report has that a statement is made of, whatever its verdict: what it says of its attempts can all be true at once. */
function isOfOnePiece({ attempts, claims, builder, inputs }: Judged): boolean {
  const numbers = new Set(attempts.map(({ number }) => number))
  return (
    numbers.size === attempts.length &&
    claims.every(({ observed }) => observed.every(({ attempt }) => numbers.has(attempt))) &&
    attempts.every(
      (one) =>
        (one.outcome === 'built') === one.artifacts.length > 0 &&
        (one.outcome !== 'built' || (one.builder !== null && one.sandbox !== null)) &&
        (one.builder === null || one.builder === builder.digest) &&
        (one.lock === null || inputs.lock === null || one.lock === inputs.lock) &&
        new Set(one.artifacts.map(({ name }) => name)).size === one.artifacts.length,
    )
  )
}

/**
 * Whether each observation is of an artifact that its attempt has and that can be compared. A file may also be claimed as mkosi wrote it,
 * by a digest that is in no artifact here.
 */
function isOfArtifacts({ attempts, claims }: Judged): boolean {
  return claims.every(({ kind, sha256, observed }) =>
    observed.every((one) => {
      const held = attempts.find(({ number }) => number === one.attempt)?.artifacts.find(({ name }) => name === one.artifact)
      return held?.comparable === true && (kind !== 'oci-manifest' || held.ociManifest === sha256)
    }),
  )
}

/** Whether its own observations are that every attempt was built and made every claimed byte. */
function isExact(predicate: Judged): boolean {
  const { attempts, claims } = predicate
  return (
    attempts.length > 0 &&
    allBuilt(predicate) &&
    claims.every(
      ({ sha256, observed }) =>
        attempts.every(({ number }) => observed.some(({ attempt }) => attempt === number)) &&
        observed.every(
          (one) => one.result === 'equal' && one.tier === 'bit-exact' && one.transformations.length === 0 && one.sha256 === sha256,
        ),
    )
  )
}

function allBuilt({ attempts, findings }: Judged): boolean {
  return attempts.every(({ outcome }) => outcome === 'built') && !findings.recipe.some(({ severity }) => severity === 'refuse')
}

/** Whether all attempts yielded the same. */
function allTheSame({ attempts }: Judged): boolean {
  const yields = attempts.map(({ artifacts }) => artifacts.map(({ name, sha256, ociManifest }) => `${ociManifest} ${sha256} ${name}`))
  return new Set(yields.map((one) => JSON.stringify(one.toSorted()))).size === 1
}

function madeAt(predicate: Ours): string {
  if ('finishedAt' in predicate) return predicate.finishedAt
  return 'timeVerified' in predicate ? predicate.timeVerified : predicate.runDetails.metadata.finishedOn
}

function member(value: unknown, ...path: readonly string[]): unknown {
  let inner = value
  for (const key of path) inner = isObject(inner) ? inner[key] : undefined
  return inner
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
