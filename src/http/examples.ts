import type { z } from 'zod'
import { Sha256 } from '../../verifier/model/digest.ts'
import type {
  AttemptView,
  AttestationView,
  CallerView,
  KnownView,
  Problem,
  SubmissionAnswer,
  SubmissionRequest,
  UploadAnswer,
  VerificationView,
} from '../app/service/api-documents.ts'
import type { DeploymentRequest, DeploymentView, ObservationView } from '../app/service/deployment-documents.ts'
import type { ComposeView } from '../app/service/gate-documents.ts'
import type { BuilderView, WorkerView } from '../app/service/machine-documents.ts'

const digest = (digit: string): Sha256 => Sha256.parse(digit.repeat(64))
const [ID, ATTEMPT, OWNER, WORKER] = [1, 2, 3, 4].map((digit) => `0198c3a0-5c1e-7d3a-9f00-00000000000${digit}`) as [
  string,
  string,
  string,
  string,
]
const AT = '2026-03-01T12:00:00.000Z'
const COMMIT = '5b8f2f6d1c11a5c2c3a05c1e7d3a9f005b8f2f6d'
const URL = 'https://example.org/app.git'

const owner = { id: OWNER, kind: 'local', name: 'releases', issuer: 'local', subject: 'releases' } as const
const claims = [{ kind: 'file' as const, name: null, sha256: digest('a'), location: null }]

const submission: z.input<typeof SubmissionRequest> = {
  source: { kind: 'git', url: URL, commit: COMMIT, path: '.' },
  claims,
  callback: 'https://example.org/hooks/bitwitness',
}

const attestation: AttestationView = {
  id: ATTEMPT,
  verification: ID,
  predicateType: 'https://example.org/bitwitness/reproduced/v1',
  bundle: digest('b'),
  signer: 'key sha256:67878b43fec3',
  createdAt: AT,
  links: { bundle: `/v1/blobs/${digest('b')}` },
}

const verification: VerificationView = {
  id: ID,
  state: 'finished',
  verdict: 'reproduced',
  tier: 'bit-exact',
  reasons: [],
  owner,
  source: { kind: 'git', url: URL, commit: COMMIT, path: '.' },
  pinned: { kind: 'git', url: URL, commit: COMMIT, ref: 'refs/heads/main', path: '.', treeDigest: digest('7') },
  claims,
  attempts: 2,
  architecture: 'amd64',
  builder: digest('c'),
  lock: null,
  inputs: null,
  reusedFrom: null,
  report: digest('d'),
  attestations: [attestation],
  unsigned: [],
  createdAt: AT,
  finishedAt: AT,
  links: {
    self: `/v1/verifications/${ID}`,
    attempts: `/v1/verifications/${ID}/attempts`,
    events: `/v1/verifications/${ID}/events`,
    recipe: `/v1/verifications/${ID}/recipe`,
    report: `/v1/blobs/${digest('d')}`,
    source: `/v1/blobs/${digest('e')}`,
  },
}

const attempt: AttemptView = {
  id: ATTEMPT,
  verification: ID,
  number: 1,
  mode: 'live',
  state: 'leased',
  outcome: null,
  report: null,
  tries: [{ number: 1, worker: WORKER, startedAt: AT, endedAt: AT, ending: 'lease-lost', reason: 'lease-lost' }],
  createdAt: AT,
  committedAt: null,
  links: { self: `/v1/attempts/${ATTEMPT}`, log: `/v1/attempts/${ATTEMPT}/log`, events: `/v1/attempts/${ATTEMPT}/events` },
}

const answer: SubmissionAnswer = { verification, joined: false, notice: null }
const known: KnownView = {
  sha256: digest('a'),
  key: digest('8'),
  subjects: [{ kind: 'claim', name: 'file' }],
  verification,
  count: 3,
  firstAt: AT,
  links: { history: `/v1/subjects/${digest('a')}/${digest('8')}` },
}
const upload: UploadAnswer = { sha256: digest('f'), size: 10240, expiresAt: AT }
const caller: CallerView = { owner, scopes: ['submit', 'cancel'], repositories: null, trusted: true, webhookSecret: 'whsec_…' }
const builder: BuilderView = {
  digest: digest('c'),
  description: digest('9'),
  architecture: 'amd64',
  mkosi: '25.3',
  addedAt: AT,
  links: { description: `/v1/blobs/${digest('9')}` },
}
const worker: WorkerView = {
  id: WORKER,
  name: 'rack-2',
  place: 'remote',
  publicKey: 'MCowBQYDK2VwAyEA…',
  capabilities: { architecture: 'amd64', builders: [digest('c')], isolation: 'shared-kernel' },
  addedAt: AT,
  revokedAt: null,
  lastSeenAt: AT,
}
const APP = '84304bbe0123456789abcdef0123456789abcdef'
const compose: ComposeView = {
  app: APP,
  composeHash: digest('8'),
  admittedBy: owner,
  admittedAt: AT,
  links: { bytes: `/v1/apps/${APP}/composes/${digest('8')}` },
}
const deployment: DeploymentView = {
  id: ID,
  state: 'running',
  owner,
  name: 'my-app',
  app: APP,
  composeHash: digest('8'),
  url: `https://${APP}-8080.dstack-pha-prod7.phala.network`,
  target: 'cloud',
  policy: 'production',
  createdAt: AT,
  updatedAt: AT,
  withdrawnAt: null,
  links: { self: `/v1/deployments/${ID}`, compose: `/v1/deployments/${ID}/composes/${digest('8')}` },
}
const order: z.input<typeof DeploymentRequest> = {
  kind: 'ordered',
  target: 'cloud',
  policy: 'production',
  order: { name: 'my-app', appCompose: digest('8'), appId: APP, live: { port: 8080, healthPath: '/healthz' } },
  admit: true,
}
const observation: ObservationView = {
  id: ATTEMPT,
  deployment: ID,
  app: APP,
  url: `https://${APP}-8080.dstack-pha-prod7.phala.network`,
  verdict: 'verified',
  code: null,
  count: 24,
  firstAt: AT,
  lastAt: AT,
  links: { self: `/v1/observations/${ATTEMPT}`, deployment: `/v1/deployments/${ID}` },
}
const problem: Problem = {
  type: '/docs/errors#verification-unknown',
  title: 'verification unknown',
  status: 404,
  code: 'verification-unknown',
  detail: 'there is no such verification',
  hint: 'check its id',
  instance: `urn:uuid:${WORKER}`,
}

/** What documents look like, by their names in /openapi.json. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  Attempt: attempt,
  Attestation: attestation,
  Builder: builder,
  Caller: caller,
  Compose: compose,
  Deployment: deployment,
  DeploymentRequest: order,
  Known: known,
  Observation: observation,
  Owner: owner,
  Problem: problem,
  Submission: submission,
  SubmissionAnswer: answer,
  Target: { name: 'cloud', kind: 'phala-cloud', policies: ['production'] },
  Upload: upload,
  Verification: verification,
  Worker: worker,
}
