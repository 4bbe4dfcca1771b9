import type { z } from 'zod'
import { Attempt } from '../../verifier/model/attempt.ts'
import { Claim } from '../../verifier/model/claim.ts'
import { Finding } from '../../verifier/model/finding.ts'
import { Recipe } from '../../verifier/model/recipe.ts'
import { PinnedSource } from '../../verifier/model/source.ts'
import { AuthSimple } from '../app/gate/auth-simple.ts'
import { Decision } from '../app/gate/decision.ts'
import { PolicyImpact } from '../app/gate/policy-impact.ts'
import {
  AttemptView,
  AttestationView,
  CallerView,
  KnownView,
  OwnerView,
  Problem,
  RecipeView,
  SubmissionAnswer,
  SubmissionRequest,
  UploadAnswer,
  VerificationView,
} from '../app/service/api-documents.ts'
import {
  AppView,
  DeploymentAnswer,
  DeploymentRequest,
  DeploymentView,
  ObservationAnswer,
  ObservationView,
  TargetView,
} from '../app/service/deployment-documents.ts'
import { AdmitAnswer, ComposeView, DecisionRequest, GuestDecisionView, PolicyView } from '../app/service/gate-documents.ts'
import { BuilderView, WorkerView } from '../app/service/machine-documents.ts'
import { SubmittedSource } from '../app/store/records.ts'

/** The documents that have a name in /openapi.json. Wherever one is a part of another, it is named there. */
export const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Admission: AdmitAnswer,
  App: AppView,
  Attempt: AttemptView,
  AttemptReport: Attempt,
  Attestation: AttestationView,
  AuthSimple,
  Builder: BuilderView,
  Caller: CallerView,
  Claim,
  Compose: ComposeView,
  Decision,
  DecisionRequest,
  Deployment: DeploymentView,
  DeploymentAnswer,
  DeploymentRequest,
  Finding,
  GuestDecision: GuestDecisionView,
  Known: KnownView,
  Observation: ObservationView,
  ObservationAnswer,
  Owner: OwnerView,
  PinnedSource,
  Policy: PolicyView,
  PolicyImpact,
  Problem,
  Recipe,
  RecipeReading: RecipeView,
  Source: SubmittedSource,
  Submission: SubmissionRequest,
  SubmissionAnswer,
  Target: TargetView,
  Upload: UploadAnswer,
  Verification: VerificationView,
  Worker: WorkerView,
}
