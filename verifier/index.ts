export { Artifact, ArtifactFormat, Attempt, LimitKind, Outcome, OutcomeReason, SandboxFacts, Stage, StageName } from './model/attempt.ts'
export type { BlobStore, StoredBlob } from './model/blob-store.ts'
export { BUILD_MANIFEST_SCHEMA, BuildManifest } from './model/build-manifest.ts'
export { Claim, ClaimKind, parseClaim } from './model/claim.ts'
export { Comparison, Tier, Transformation } from './model/comparison.ts'
export { parseSha256, Sha256, withPrefix } from './model/digest.ts'
export { encodeDocument } from './model/document.ts'
export { AttemptEvent, type EmitEvent, type EventBody } from './model/event.ts'
export { EXPLANATION_SCHEMA, Explanation } from './model/explanation.ts'
export { type Audience, Failure, type FailureOptions } from './model/failure.ts'
export { Finding, Severity } from './model/finding.ts'
export type { ImagePackages, InstalledPackage, NpmPackage } from './model/image-packages.ts'
export { encodeLock, INPUT_LOCK_SCHEMA, Input, InputLock } from './model/lock.ts'
export { ImageConfig, Recipe, RecipeImage, RecipeReading, RecipeScript } from './model/recipe.ts'
export { CHECK_REPORT_SCHEMA, CheckReport, VERIFICATION_REPORT_SCHEMA, VerificationReport } from './model/report.ts'
export { GitCommit, PinnedSource, RecipePath } from './model/source.ts'
export type { SourceFile, SourceTree } from './model/source-tree.ts'
export {
  decodeEntry,
  type EntryType,
  encodeEntry,
  escapeBytes,
  TREE_MANIFEST_HEADER,
  type TreeEntry,
  unescapeBytes,
} from './model/tree-manifest.ts'
export {
  CheckVerdict,
  type Decided,
  type Decision,
  decideCheck,
  decideVerification,
  type Evidence,
  Verdict,
  VerdictReason,
} from './model/verdict.ts'
