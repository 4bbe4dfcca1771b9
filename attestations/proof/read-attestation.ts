import { isDeepStrictEqual } from 'node:util'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { decodeStatement } from '../statement/decode.ts'
import type { Evidence } from '../statement/evidence.ts'
import { evidenceOf } from '../statement/evidence-of.ts'
import { PAYLOAD_TYPE, PREDICATE_TYPE } from '../statement/predicate-types.ts'
import { readPredicate } from '../statement/predicates.ts'
import type { Reviewed } from '../statement/review.ts'
import type { Statement } from '../statement/statement.ts'
import { readAgreeing } from '../verify/predicate-agrees.ts'
import { readBundle } from '../verify/read-bundle.ts'
import { proofFailure } from './failures.ts'
import type { ProofAttestation } from './proof.ts'

export type ReportInHand = {
  readonly reviewed: Reviewed
  readonly sha256: Sha256 /** Kind of its verdict's statement. */
  readonly verdictType: string
}

/**
 * Reads a bundle as far as it can be without a signer: what it signs, and that this is about the report and says nothing else than it.
 * Failures: `proof-bundle-…`, `proof-statement-…`, and those of `decodeStatement`.
 */
export function readAttestation(bundle: Uint8Array, report: ReportInHand): ProofAttestation {
  const read = readBundle(bundle, { oldVersions: false })
  if (typeof read === 'string') throw proofFailure('proof-bundle-malformed', { reason: read })
  if (read.bundle === null || !('dsseEnvelope' in read.shape) || read.shape.dsseEnvelope.payloadType !== PAYLOAD_TYPE)
    throw proofFailure('proof-bundle-malformed', { reason: 'bundle-without-statement' })
  const bytes = Buffer.from(read.shape.dsseEnvelope.payload, 'base64')
  const statement = decodeStatement(bytes)
  const subjects = statement.subject.map(({ name, digest }) => ({ name, sha256: digest.sha256 }))
  const known = digestsOf(report.reviewed)
  if (!subjects.every(({ sha256 }) => known.has(sha256))) throw proofFailure('proof-bundle-of-another-subject')
  checkStatement(statement, report)
  return { bundle, sha256: digestOf(bundle), statement: bytes, predicateType: statement.predicateType, subjects }
}

/** Every digest that a report names as claimed or as built. */
function digestsOf({ report: { claims, attempts } }: Reviewed): ReadonlySet<string> {
  const built = attempts.flatMap(({ artifacts }) =>
    artifacts.flatMap(({ sha256, oci }) => [sha256, ...(oci === null ? [] : [oci.manifest])]),
  )
  return new Set([...claims.map(({ sha256 }) => sha256), ...built])
}

type Foreign = Statement<Readonly<Record<string, unknown>>>

function checkStatement(statement: Foreign, report: ReportInHand): void {
  const { predicateType } = statement
  const reading = readAgreeing(statement)
  if (reading.kind === 'rejected') throw proofFailure('proof-statement-malformed', { reason: reading.code })
  if (reading.kind === 'unread') return
  if (predicateType === PREDICATE_TYPE.reproduced || predicateType === PREDICATE_TYPE.rebuildResult) {
    const predicate = readPredicate(statement, predicateType)
    if (predicate.report !== report.sha256) throw proofFailure('proof-statement-of-another-report')
    const { verdict, tier } = report.reviewed.report
    const same = predicateType === report.verdictType && predicate.verdict === verdict && predicate.tier === tier
    if (!same || !isDeepStrictEqual(factsOf(predicate), factsOf(evidenceOf(report.reviewed, NOBODY))))
      throw proofFailure('proof-statement-contradicts-report')
  } else if (predicateType === PREDICATE_TYPE.provenance) {
    const { runDetails, buildDefinition } = readPredicate(statement, predicateType)
    const named = runDetails.byproducts.find(({ name }) => name === 'report')
    if (!isDeepStrictEqual(named?.digest, { sha256: report.sha256 })) throw proofFailure('proof-statement-of-another-report')
    if (!isDeepStrictEqual(buildDefinition.externalParameters.source, report.reviewed.report.source))
      throw proofFailure('proof-statement-contradicts-report')
  }
}

/** What a statement says of a report whoever signed it, and whatever version wrote it. */
function factsOf({ source, architecture, claims, attempts, builder, inputs, startedAt, finishedAt }: Evidence) {
  return {
    source,
    architecture,
    claims: claims.map(({ kind, name, sha256 }) => [kind, name, sha256]),
    attempts: attempts.map(({ number, mode, outcome, artifacts, lock, builder: image }) => [
      [number, mode, outcome, lock, image],
      artifacts.map(({ name, sha256, size, ociManifest, treeManifest }) => [name, sha256, size, ociManifest, treeManifest]),
    ]),
    builder: builder.digest,
    lock: inputs.lock,
    indexes: inputs.indexes,
    times: [startedAt, finishedAt],
  }
}

/** What of the evidence is the signer's own is not compared. */
const NOBODY = {
  builderBase: 'bitwitness:builder',
  owner: null,
  operator: null,
  worker: null,
  invocationId: '_',
  reportDigest: Sha256.parse('0'.repeat(64)),
}
