import type { Attempt } from '../../verifier/model/attempt.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { Input, InputLock } from '../../verifier/model/lock.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import type { StatementContext } from './context.ts'
import { imageName, isLockGiven } from './evidence-of.ts'
import { packageUrl } from './package-url.ts'
import { BUILD_TYPE, builderId, PREDICATE_TYPE, STATEMENT_TYPE } from './predicate-types.ts'
import type { ProvenancePredicate, Resource } from './provenance-predicate.ts'
import { type Reviewed, reviewReport } from './review.ts'
import { distinctSubjects, type Statement, subjectOf } from './statement.ts'

/** A lock with its digest, which whoever passes it has computed from its bytes. */
export type KnownLock = { readonly sha256: Sha256; readonly lock: InputLock }

/** Above this the lock stands for its inputs: it is published beside the statement, and its digest says each of theirs. */
export const MAX_LISTED_INPUTS = 500

/**
 * SLSA Provenance v1 of our own build: the subjects are the bytes of the attested attempt, file and image manifest of each artifact.
 * Failures: those of `reviewReport`, and `provenance-impossible` where attempts were not all built, disagree, or cannot be compared.
 */
export function provenanceOf(report: VerificationReport, context: StatementContext, inputs?: KnownLock): Statement<ProvenancePredicate> {
  const reviewed = reviewReport(report)
  const statement = provenanceOfReviewed(reviewed, context, inputs)
  if (statement !== null) return statement
  throw new Failure({
    code: 'provenance-impossible',
    message: 'there is no one result to give a provenance of: attempts failed or disagree, or their bytes cannot be compared',
    hint: 'the rebuild result says what happened',
  })
}

/** Null where there is no one result. */
export function provenanceOfReviewed(
  { report, attested }: Reviewed,
  context: StatementContext,
  inputs?: KnownLock,
): Statement<ProvenancePredicate> | null {
  const { builder } = report
  if (attested === null || attested.sandbox === null || builder === null) return null
  const { sandbox } = attested
  return {
    _type: STATEMENT_TYPE,
    subject: distinctSubjects(
      attested.artifacts.flatMap(({ name, sha256, oci }) => [
        subjectOf(name, sha256),
        ...(oci === null ? [] : [subjectOf(imageName(name), oci.manifest)]),
      ]),
    ),
    predicateType: PREDICATE_TYPE.provenance,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          source: report.source,
          claims: report.claims.map(({ kind, name, sha256 }) => ({ kind, name, sha256 })),
          lock: isLockGiven(report) ? report.lock : null,
        },
        internalParameters: {
          architecture: report.architecture,
          attempt: attested.number,
          attempts: report.attempts.length,
          mode: attested.mode,
          mkosi: builder.mkosi,
          sandbox,
          worker: context.worker,
          operator: context.operator,
        },
        resolvedDependencies: [...sourceOf(report), { name: 'builder', digest: { sha256: builder.digest } }, ...inputsOf(attested, inputs)],
      },
      runDetails: {
        builder: { id: builderId(context.builderBase, sandbox), version: { bitwitness: report.tool.version } },
        metadata: { invocationId: context.invocationId, startedOn: report.startedAt, finishedOn: report.finishedAt },
        byproducts: byproductsOf(report, context),
      },
    },
  }
}

function sourceOf({ source }: VerificationReport): Resource[] {
  const tree: Resource = { name: 'source-tree', digest: { sha256: source.treeDigest } }
  if (source.kind === 'git')
    // As SPDX writes the place of a revision.
    return [{ name: 'source', uri: `git+${source.url}@${source.commit}`, digest: { gitCommit: source.commit } }, tree]
  return source.sha256 === null ? [tree] : [{ name: 'source', digest: { sha256: source.sha256 } }, tree]
}

function inputsOf({ lock }: Attempt, known: KnownLock | undefined): Resource[] {
  if (lock === null) return []
  const whole: Resource = { name: 'inputs.lock.json', digest: { sha256: lock }, mediaType: 'application/json' }
  if (known === undefined) return [whole]
  if (known.sha256 !== lock)
    throw new Failure({
      code: 'lock-of-another-build',
      message: 'the input lock is not the one that the report names',
      hint: 'give the lock whose sha256 is in the report, or none',
    })
  return known.lock.inputs.length > MAX_LISTED_INPUTS ? [whole] : [whole, ...known.lock.inputs.map(inputOf)]
}

function inputOf(input: Input): Resource {
  const digest = { sha256: input.sha256 }
  if (input.kind !== 'package') return { name: `${input.archive}/${input.path}`, digest }
  return { name: `${input.archive}/${input.path}`, uri: packageUrl(input), digest }
}

function byproductsOf({ attempts, explanation }: VerificationReport, { reportDigest }: StatementContext): Resource[] {
  const blob = (name: string, sha256: Sha256 | null): Resource[] => (sha256 === null ? [] : [{ name, digest: { sha256 } }])
  return [
    { name: 'report', digest: { sha256: reportDigest }, mediaType: 'application/json' },
    ...attempts.flatMap((attempt) => [
      ...blob(`attempt-${attempt.number}/log`, attempt.log),
      ...(attempt.mode === 'live' ? blob(`attempt-${attempt.number}/inputs.lock.json`, attempt.lock) : []),
      ...attempt.artifacts.flatMap(({ name, treeManifest }) => blob(`attempt-${attempt.number}/tree-manifest/${name}`, treeManifest)),
    ]),
    ...explanation.documents.flatMap((document, index) => blob(`explanation-${index + 1}`, document)),
  ]
}
