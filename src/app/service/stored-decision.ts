import { encodeStatement } from '../../../attestations/statement/encode.ts'
import { imageName } from '../../../attestations/statement/evidence-of.ts'
import { statementsOf } from '../../../attestations/statement/statements.ts'
import { oneChunk } from '../../../verifier/bytes/one-chunk.ts'
import type { BlobStore } from '../../../verifier/model/blob-store.ts'
import { encodeDocument } from '../../../verifier/model/document.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { VerificationReport } from '../../../verifier/model/report.ts'
import type { BlobRole, Subject } from '../store/records.ts'
import type { StoredDecision } from './end-verification.ts'

/**
 * Puts a report into the store and gives the verdict that it comes to, with what is to be signed about it. Where its evidence does not bear
 * a statement out, nothing is, and `onUnsignable` is told: a verdict waits for no signature.
 */
export async function storedDecision(
  blobs: BlobStore,
  report: VerificationReport,
  onUnsignable: (failure: Failure) => void,
): Promise<StoredDecision> {
  if (report.verdict === null) throw new TypeError('a report of what was cancelled decides nothing')
  const stored = await blobs.put(oneChunk(encodeDocument(VerificationReport, report)))
  const kept: { sha256: Subject['sha256']; size: number; role: BlobRole }[] = [{ ...stored, role: 'report' }]
  for (const sha256 of new Set(report.explanation.documents))
    kept.push({ sha256, size: (await blobs.size(sha256)) ?? 0, role: 'explanation' })
  return {
    verdict: report.verdict,
    tier: report.tier,
    reasons: report.reasons,
    builder: report.builder?.digest ?? null,
    report: stored.sha256,
    artifacts: subjectsOf(report),
    blobs: kept,
    statements: report.verdict === 'undecided' ? [] : statementTypesOf(report, stored.sha256, onUnsignable),
  }
}

/** What was built, by its digests: those of the first attempt that was. */
function subjectsOf({ attempts }: VerificationReport): Subject[] {
  const built = attempts.find(({ outcome }) => outcome === 'built')
  const all = (built?.artifacts ?? []).flatMap(({ name, sha256, oci }): Subject[] => [
    { sha256, kind: 'artifact', name },
    ...(oci === null ? [] : [{ sha256: oci.manifest, kind: 'artifact' as const, name: imageName(name) }]),
  ])
  return [...new Map(all.map((subject) => [`${subject.sha256} ${subject.name}`, subject])).values()]
}

/** Who signs, and for whom, decides no type. */
function statementTypesOf(report: VerificationReport, reportDigest: Subject['sha256'], onUnsignable: (failure: Failure) => void): string[] {
  const context = { builderBase: 'bitwitness:builder', owner: null, operator: null, worker: null, invocationId: 'urn:uuid:0', reportDigest }
  try {
    return statementsOf(report, context).map((statement) => {
      encodeStatement(statement)
      return statement.predicateType
    })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    onUnsignable(error)
    return []
  }
}
