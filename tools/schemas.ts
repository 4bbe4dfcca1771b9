import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { ProofIndex } from '../attestations/proof/proof-index.ts'
import { ProvenancePredicate } from '../attestations/statement/provenance-predicate.ts'
import { RebuildResultPredicate } from '../attestations/statement/rebuild-result-predicate.ts'
import { ReproducedPredicate } from '../attestations/statement/reproduced-predicate.ts'
import { Statement } from '../attestations/statement/statement.ts'
import { VsaPredicate } from '../attestations/statement/vsa-predicate.ts'
import { AttachReport } from '../src/app/attach.ts'
import { AttestationCheckDocument } from '../src/app/attestation-check.ts'
import { AttestationSet } from '../src/app/attestation-set.ts'
import { ChangesDocument } from '../src/app/changes/changes-document.ts'
import { ComposeHash } from '../src/app/compose/compose-hash.ts'
import { ComposeCreated } from '../src/app/compose/create-compose.ts'
import { ComposeLint } from '../src/app/compose/lint-compose.ts'
import { DeployDocument } from '../src/app/deploy/deploy-document.ts'
import { DoctorReport } from '../src/app/doctor.ts'
import { ExportReport } from '../src/app/export-report.ts'
import { Decision } from '../src/app/gate/decision.ts'
import { PolicyCheck } from '../src/app/gate/load-policy.ts'
import { Policy } from '../src/app/gate/policy.ts'
import { PolicyExplanation } from '../src/app/gate/policy-explanation.ts'
import { PolicyImpact } from '../src/app/gate/policy-impact.ts'
import { Inspection } from '../src/app/inspect/inspection.ts'
import { RecipeLint } from '../src/app/lint-recipe.ts'
import { ProofCheckDocument } from '../src/app/proof-check.ts'
import { PullReport } from '../src/app/pull.ts'
import { PushReport, RegistryInfo } from '../src/app/push-documents.ts'
import { BlobRead } from '../src/app/read-blob.ts'
import { SbomWritten } from '../src/app/sbom.ts'
import { TokenCreated, TokenList, TokenRevoked, WorkerAdded, WorkerList, WorkerRevoked } from '../src/app/service/operator-documents.ts'
import { ServingDocument } from '../src/app/service/serving-document.ts'
import { BuilderList } from '../src/cli/commands/builder/document.ts'
import { KeyDocument } from '../src/cli/commands/key/show.ts'
import { VersionDocument } from '../src/cli/commands/version.ts'
import { WorkerKeyDocument } from '../src/cli/commands/worker/key.ts'
import { ErrorDocument } from '../src/cli/error-document.ts'
import { SubmissionDocument } from '../src/client/submission-document.ts'
import { BuilderImage } from '../verifier/builder/image-description.ts'
import { AttemptEvent, BuildManifest, CheckReport, Explanation, InputLock, VerificationReport } from '../verifier/index.ts'

/** The published documents: file in schemas/, title, schema. */
const DOCUMENTS = [
  { file: 'verification-report-v1.json', title: 'Verification report, version 1', schema: VerificationReport },
  { file: 'check-report-v1.json', title: 'Check report, version 1', schema: CheckReport },
  { file: 'input-lock-v1.json', title: 'Input lock, version 1', schema: InputLock },
  { file: 'build-manifest-v1.json', title: 'Build manifest, version 1', schema: BuildManifest },
  { file: 'builder-image-v1.json', title: 'Builder image, version 1', schema: BuilderImage },
  { file: 'builder-list-v1.json', title: 'List of builder images, version 1', schema: BuilderList },
  { file: 'attestation-set-v1.json', title: 'Set of attestations, version 1', schema: AttestationSet },
  { file: 'key-v1.json', title: 'Signing key, version 1', schema: KeyDocument },
  { file: 'doctor-report-v1.json', title: 'Doctor report, version 1', schema: DoctorReport },
  { file: 'attestation-check-v1.json', title: 'Check of attestations, version 1', schema: AttestationCheckDocument },
  { file: 'error-v1.json', title: 'Error, version 1', schema: ErrorDocument },
  { file: 'explanation-v1.json', title: 'Explanation of a difference, version 1', schema: Explanation },
  { file: 'changes-v1.json', title: 'What changed between two images, version 1', schema: ChangesDocument },
  { file: 'push-report-v1.json', title: 'Push report, version 1', schema: PushReport },
  { file: 'registry-info-v1.json', title: 'Registry info, version 1', schema: RegistryInfo },
  { file: 'pull-report-v1.json', title: 'Pull report, version 1', schema: PullReport },
  { file: 'attach-report-v1.json', title: 'Attach report, version 1', schema: AttachReport },
  { file: 'compose-lint-v1.json', title: 'Compose lint, version 1', schema: ComposeLint },
  { file: 'compose-hash-v1.json', title: 'Compose hash, version 1', schema: ComposeHash },
  { file: 'compose-created-v1.json', title: 'That an app-compose was written, version 1', schema: ComposeCreated },
  { file: 'policy-v1.json', title: 'Policy of a gate, version 1', schema: Policy, io: 'input' },
  { file: 'policy-check-v1.json', title: 'Check of a policy, version 1', schema: PolicyCheck },
  { file: 'policy-impact-v1.json', title: 'Impact of a policy, version 1', schema: PolicyImpact },
  { file: 'policy-explanation-v1.json', title: 'Explanation of a policy, version 1', schema: PolicyExplanation },
  { file: 'decision-v1.json', title: 'Decision of a gate, version 1', schema: Decision },
  { file: 'deploy-v1.json', title: 'What a deployment came to, version 1', schema: DeployDocument },
  { file: 'inspection-v1.json', title: 'What a running app shows of itself, version 1', schema: Inspection },
  { file: 'recipe-lint-v1.json', title: 'Recipe lint, version 1', schema: RecipeLint },
  { file: 'sbom-v1.json', title: 'That a bill of materials was written, version 1', schema: SbomWritten },
  { file: 'blob-v1.json', title: 'That a blob is there whole, version 1', schema: BlobRead },
  { file: 'token-created-v1.json', title: 'API token that was made, version 1', schema: TokenCreated },
  { file: 'token-list-v1.json', title: 'List of API tokens, version 1', schema: TokenList },
  { file: 'token-revoked-v1.json', title: 'API token that was revoked, version 1', schema: TokenRevoked },
  { file: 'worker-added-v1.json', title: 'Worker that was added, version 1', schema: WorkerAdded },
  { file: 'worker-list-v1.json', title: 'List of workers, version 1', schema: WorkerList },
  { file: 'worker-revoked-v1.json', title: 'Worker that was revoked, version 1', schema: WorkerRevoked },
  { file: 'worker-key-v1.json', title: 'Public key of a worker, version 1', schema: WorkerKeyDocument },
  { file: 'version-v1.json', title: 'Version, version 1', schema: VersionDocument },
  { file: 'event-v1.json', title: 'Event of an attempt, version 1', schema: AttemptEvent },
  { file: 'export-report-v1.json', title: 'Export report, version 1', schema: ExportReport },
  { file: 'proof-check-v1.json', title: 'Check of a proof by rebuilding, version 1', schema: ProofCheckDocument },
  { file: 'serving-v1.json', title: 'That the service listens, version 1', schema: ServingDocument },
  { file: 'submission-v1.json', title: 'What came of a submission, version 1', schema: SubmissionDocument },
  { file: 'proof-v1.json', title: 'Index of a proof, version 1', schema: ProofIndex },
  { file: 'statement-v1.json', title: 'in-toto Statement v1, as Bitwitness writes and reads it', schema: Statement },
  { file: 'predicate-reproduced-v1.json', title: 'Predicate bitwitness:reproduced/v1', schema: ReproducedPredicate },
  { file: 'predicate-rebuild-result-v1.json', title: 'Predicate bitwitness:rebuild-result/v1', schema: RebuildResultPredicate },
  {
    file: 'predicate-provenance-v1.json',
    title: 'Predicate https://slsa.dev/provenance/v1 of build type bitwitness:rebuild/v1',
    schema: ProvenancePredicate,
  },
  {
    file: 'predicate-vsa-v1.json',
    title: 'Predicate https://slsa.dev/verification_summary/v1, as Bitwitness writes it',
    schema: VsaPredicate,
  },
] as const

export const schemaFolder = path.join(import.meta.dirname, '..', 'schemas')

/** JSON Schema (draft 2020-12) of every published document, by file name. */
export function publishedSchemas(): ReadonlyMap<string, string> {
  return new Map(
    DOCUMENTS.map(({ file, title, schema, ...o }) => {
      // What a person writes may leave out what has a default.
      const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'io' in o ? o.io : 'output' })
      return [file, `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`]
    }),
  )
}

/** Files of schemas/ whose text is not what the code says, in order. */
export async function staleSchemas(): Promise<string[]> {
  const stale: string[] = []
  for (const [file, text] of publishedSchemas()) {
    const current = await readFile(path.join(schemaFolder, file), 'utf8').catch(() => undefined)
    if (current !== text) stale.push(file)
  }
  return stale
}

export async function writeSchemas(): Promise<void> {
  for (const [file, text] of publishedSchemas()) await writeFile(path.join(schemaFolder, file), text)
}
