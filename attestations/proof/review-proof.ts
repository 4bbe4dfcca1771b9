import { createPublicKey } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { BuilderImage, encodeBuilder } from '../../verifier/builder/image-description.ts'
import { checkMkosi, checkPackages } from '../../verifier/builder/image-packages.ts'
import { parseLock } from '../../verifier/builder/inputs/parse-lock.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { InputLock } from '../../verifier/model/lock.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { readBill } from '../sbom/read-bill.ts'
import { decodeStatement } from '../statement/decode.ts'
import { parseReport } from '../statement/parse-report.ts'
import { KIND_NAMES, PREDICATE_TYPE } from '../statement/predicate-types.ts'
import { isReproduced } from '../statement/reproduced.ts'
import { reviewReport } from '../statement/review.ts'
import { readKeys } from '../verify/key-names.ts'
import { parseTrustedRoot } from '../verify/trusted-root.ts'
import { proofFailure } from './failures.ts'
import type { Proof, ProofAttestation, ProofContent } from './proof.ts'
import { readAttestation } from './read-attestation.ts'

/**
 * Holds the parts of a proof against each other: the report against its own evidence, statements, lock, builder, manifests and bill against
 * the report. Who signed is not looked at, and is what everything rests on: `verifyAttestation` with a signer that is pinned from outside.
 * Failures: `proof-…`, and those of reading report, statements, locks, bill and trusted root.
 */
export function reviewProof(content: ProofContent): Proof {
  const report = parseReport(parseStrictJson(content.report))
  requireSmall(report)
  const reviewed = reviewReport(report)
  const reportDigest = digestOf(content.report)
  const verdictType = isReproduced(reviewed) ? PREDICATE_TYPE.reproduced : PREDICATE_TYPE.rebuildResult
  const attestations = content.bundles
    .map((bundle) => readAttestation(bundle, { reviewed, sha256: reportDigest, verdictType }))
    .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
  if (new Set(attestations.map(({ sha256 }) => sha256)).size !== attestations.length) throw proofFailure('proof-bundle-duplicate')
  if (!attestations.some(({ predicateType }) => predicateType === verdictType)) throw proofFailure('proof-verdict-missing')
  if (content.publicKey !== null) checkKey(content.publicKey)
  if (content.trustedRoot !== null) parseTrustedRoot(content.trustedRoot)
  const lock = checkLock(content, report)
  const builder = checkBuilder(content, report)
  checkManifests(content, report)
  checkSbom(content, report, attestations)
  return { content, report, reportDigest, attestations, verdictType, lock, builder }
}

/** Far above what anybody builds; what is held against what grows with two of them. */
const MOST = { claims: 256, attempts: 64, artifacts: 4096, comparisons: 16_384 }

function requireSmall({ claims, attempts, comparisons }: VerificationReport): void {
  const artifacts = attempts.reduce((sum, attempt) => sum + attempt.artifacts.length, 0)
  if (claims.length > MOST.claims || attempts.length > MOST.attempts || artifacts > MOST.artifacts || comparisons.length > MOST.comparisons)
    throw proofFailure('proof-report-too-large')
}

function sortKey({ predicateType, sha256 }: ProofAttestation): string {
  const order = [...KIND_NAMES.keys()].indexOf(predicateType)
  return `${order < 0 ? KIND_NAMES.size : order} ${sha256}`
}

function checkKey(bytes: Uint8Array): void {
  const text = Buffer.from(bytes).toString('utf8')
  let written: string | Buffer | undefined
  try {
    readKeys([text])
    written = createPublicKey(text).export({ type: 'spki', format: 'pem' })
  } catch {
    // Told below: whatever is wrong with it, it is not a key as we write them.
  }
  if (written !== text) throw proofFailure('proof-key-malformed')
}

function checkLock({ lock: bytes, inputs }: ProofContent, report: VerificationReport): InputLock | null {
  if (bytes === null) {
    if (inputs !== null) throw proofFailure('proof-inputs-without-lock')
    if (report.lock !== null) throw proofFailure('proof-lock-missing')
    return null
  }
  if (digestOf(bytes) !== report.lock) throw proofFailure('proof-lock-differs')
  const lock = parseLock(Buffer.from(bytes).toString('utf8'))
  if (lock.architecture !== report.architecture) throw proofFailure('proof-lock-differs')
  const dated = new Set(
    lock.inputs.flatMap((one) => (one.kind === 'release' ? [JSON.stringify([one.archive, one.suite, one.date, one.validUntil])] : [])),
  )
  if (!report.indexes.every(({ archive, suite, date, validUntil }) => dated.has(JSON.stringify([archive, suite, date, validUntil]))))
    throw proofFailure('proof-indexes-not-locked')
  return lock
}

function checkBuilder({ builder }: ProofContent, report: VerificationReport): BuilderImage | null {
  if (builder === null) {
    if (report.builder !== null) throw proofFailure('proof-builder-missing')
    return null
  }
  const text = Buffer.from(builder.description).toString('utf8')
  const parsed = BuilderImage.safeParse(parseStrictJson(builder.description))
  if (!parsed.success || encodeBuilder(parsed.data) !== text) throw proofFailure('proof-builder-differs')
  const { digest, mkosi, packages, architecture, lock } = parsed.data
  if (digest !== report.builder?.digest || mkosi !== report.builder.mkosi || architecture !== report.architecture)
    throw proofFailure('proof-builder-differs')
  if (digestOf(builder.lock) !== lock) throw proofFailure('proof-builder-lock-differs')
  const made = parseLock(Buffer.from(builder.lock).toString('utf8'))
  if (made.architecture !== architecture) throw proofFailure('proof-builder-lock-differs')
  checkPackages(packages, made)
  checkMkosi(packages, mkosi)
  return parsed.data
}

function checkManifests({ treeManifests }: ProofContent, { attempts }: VerificationReport): void {
  const named = new Set(attempts.flatMap(({ artifacts }) => artifacts.map(({ treeManifest }) => treeManifest)))
  // Each of them once.
  for (const { sha256 } of treeManifests) if (!named.delete(sha256)) throw proofFailure('proof-manifest-unknown')
}

function checkSbom({ sbom }: ProofContent, report: VerificationReport, attestations: readonly ProofAttestation[]): void {
  if (sbom === null) return
  const bill = parseStrictJson(sbom)
  readBill({ bytes: sbom, value: bill }, report)
  const signed = attestations.filter(({ predicateType }) => predicateType === PREDICATE_TYPE.sbom)
  const same = signed.some(({ statement }) => isDeepStrictEqual(decodeStatement(statement).predicate, bill))
  if (signed.length > 0 && !same) throw proofFailure('proof-sbom-differs')
}
