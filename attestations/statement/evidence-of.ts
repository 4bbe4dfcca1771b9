import type { Attempt } from '../../verifier/model/attempt.ts'
import type { Comparison } from '../../verifier/model/comparison.ts'
import type { Finding } from '../../verifier/model/finding.ts'
import { notChecked } from '../../verifier/model/not-checked.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import type { StatementContext } from './context.ts'
import type { AttestedAttempt, Evidence, JudgedClaim, Observation } from './evidence.ts'
import { builderId } from './predicate-types.ts'
import type { Reviewed } from './review.ts'
import { distinctSubjects, type Subject, subjectOf } from './statement.ts'

/** What a reviewed report says, without its sentences. */
export function evidenceOf({ report, decision }: Reviewed, context: StatementContext): Evidence {
  const { attempts, claims, comparisons } = report
  const ids = attempts.flatMap(({ sandbox }) => (sandbox === null ? [] : [builderId(context.builderBase, sandbox)]))
  return {
    reasons: distinct(decision.reasons.map(({ code }) => code)),
    owner: context.owner,
    source: report.source,
    architecture: report.architecture,
    claims: claims.map((claim, index) =>
      judgedClaim(
        claim,
        comparisons.filter((one) => one.claim === index),
      ),
    ),
    attempts: attempts.map(attestedAttempt),
    builder: { ids: distinct(ids), digest: report.builder?.digest ?? null, mkosi: report.builder?.mkosi ?? null },
    inputs: { lock: report.lock, given: isLockGiven(report), indexes: report.indexes },
    findings: { recipe: recipeRules(report.recipeFindings), differences: distinct(report.findings.map(({ rule }) => rule)) },
    notChecked: notChecked(report),
    verifier: { tool: report.tool.name, version: report.tool.version, operator: context.operator, worker: context.worker },
    invocationId: context.invocationId,
    report: context.reportDigest,
    startedAt: report.startedAt,
    finishedAt: report.finishedAt,
  }
}

/** The claimed digests, each by the name of the artifact that it is about where that is known. */
export function claimedSubjects({ claims, comparisons }: VerificationReport): Subject[] {
  const subjects = claims.map((claim, index) => {
    const met = comparisons.find((one) => one.claim === index && one.result === 'equal')
    const name = claim.name ?? met?.left.artifact ?? null
    return subjectOf(name !== null && claim.kind === 'oci-manifest' ? imageName(name) : name, claim.sha256)
  })
  return distinctSubjects(subjects)
}

/** The image that is packed from an artifact goes by the name that `build` gives its layout. */
export function imageName(artifact: string): string {
  return `${artifact}.oci`
}

/** A first attempt without a lock takes its inputs from mirrors. */
export function isLockGiven({ lock, attempts }: VerificationReport): boolean {
  return lock !== null && attempts.every(({ mode }) => mode === 'replay')
}

function judgedClaim({ kind, name, sha256 }: VerificationReport['claims'][number], against: readonly Comparison[]): JudgedClaim {
  const observed = against.map(({ left, result, tier, transformations }): Observation => {
    const base = { attempt: left.attempt ?? 1, result, tier, transformations }
    // Where nothing was found, a comparison shows what was looked for.
    if (result === 'missing') return { ...base, artifact: null, sha256: null }
    return { ...base, artifact: left.artifact, sha256: tier === 'bit-exact' ? sha256 : left.sha256 }
  })
  return { kind, name, sha256, observed: observed.toSorted((a, b) => a.attempt - b.attempt) }
}

function attestedAttempt(attempt: Attempt): AttestedAttempt {
  return {
    number: attempt.number,
    mode: attempt.mode,
    outcome: attempt.outcome,
    limit: attempt.limit,
    reason: attempt.reason?.code ?? null,
    retried: attempt.retried.length,
    artifacts: attempt.artifacts.map(({ name, format, sha256, size, treeManifest, oci, notComparable }) => ({
      name,
      format,
      sha256,
      size,
      ociManifest: oci?.manifest ?? null,
      treeManifest,
      comparable: notComparable === null,
    })),
    lock: attempt.lock,
    log: attempt.log,
    builder: attempt.builder,
    sandbox: attempt.sandbox,
    startedAt: attempt.stages[0]?.startedAt ?? null,
    ms: Math.round(attempt.stages.reduce((sum, { ms }) => sum + ms, 0)),
  }
}

function recipeRules(findings: readonly Finding[]): Evidence['findings']['recipe'] {
  const rules = new Map(findings.map(({ rule, severity }) => [`${rule} ${severity}`, { rule, severity }]))
  return [...rules.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].toSorted()
}
