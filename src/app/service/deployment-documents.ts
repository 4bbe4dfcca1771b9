import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { AppId } from '../compose/compose-hash.ts'
import { Deployment, DeploymentState, DeployOrder } from '../deploy/deployment.ts'
import { PolicyName } from '../gate/policy.ts'
import { Inspection } from '../inspect/inspection.ts'
import { OwnerView } from './api-documents.ts'
import { ComposeView, GuestDecisionView } from './gate-documents.ts'

const Instant = z.iso.datetime()

/** What the operator calls a target. */
export const TargetName = PolicyName

/** `POST /v1/deployments`: something to deploy, or something that was deployed elsewhere and is to be observed. */
export const DeploymentRequest = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ordered'),
    target: TargetName.describe('One of GET /v1/targets.'),
    policy: PolicyName.describe('One of those of the target (GET /v1/targets), which decides before anything starts.'),
    order: DeployOrder.describe(
      'Names an app-compose by the sha256 of its bytes, which were admitted for an app before, or uploaded by you. It has no environment: an app ' +
        'that needs secrets is deployed by the command, which encrypts them for the guest, and announced here.',
    ),
    admit: z
      .boolean()
      .default(false)
      .describe('Whether you admit the app-compose for the app that the target gives it, as PUT /v1/apps/{app}/composes/{sha256} would.'),
  }),
  z.strictObject({
    kind: z.literal('announced'),
    name: DeployOrder.shape.name,
    app: AppId,
    composeHash: Sha256.describe('What was deployed.'),
    url: z.string().max(2048).describe('Where the app answers, by its gateway: https://APP_ID-PORT.DOMAIN.'),
  }),
])
export type DeploymentRequest = z.infer<typeof DeploymentRequest>

export const DeploymentView = z.strictObject({
  id: z.uuid(),
  state: z
    .enum([...DeploymentState.options, 'announced'])
    .describe('`announced`: not deployed by this service; only what it observes counts. `running`, `denied` and `failed` are ends.'),
  owner: OwnerView,
  name: z.string(),
  app: AppId.nullable().describe('Null until the target gives one.'),
  composeHash: Sha256.describe('What is measured, as the target says; until it says so, what was ordered; or what was announced.'),
  url: z.string().nullable().describe('Where it answers.'),
  target: z.string().nullable(),
  policy: z.string().nullable(),
  createdAt: Instant,
  updatedAt: Instant,
  withdrawnAt: Instant.nullable().describe('Since when it is not observed any more, by its owner’s word.'),
  links: z.strictObject({
    self: z.string(),
    compose: z
      .string()
      .nullable()
      .describe(
        'Bytes of the app-compose of `composeHash`; null: a target that was ordered to shows them to nobody. Of what was announced, where they were admitted.',
      ),
  }),
})
export type DeploymentView = z.infer<typeof DeploymentView>

/** One deployment with all that happened to it. */
export const DeploymentAnswer = z.strictObject({
  ...DeploymentView.shape,
  deployment: Deployment.nullable().describe('What was ordered, and what happened, one after another; null: it was announced.'),
})
export type DeploymentAnswer = z.infer<typeof DeploymentAnswer>

export const TargetView = z.strictObject({
  name: TargetName,
  kind: z.enum(['phala-cloud', 'dstack-vmm']),
  policies: z.array(PolicyName).describe('By which it may be decided what is started there.'),
})
export type TargetView = z.infer<typeof TargetView>

export const ObservationView = z.strictObject({
  id: z.uuid(),
  deployment: z.uuid(),
  app: AppId.describe('As it was deployed, or announced; what its quote says is in the inspection.'),
  url: z.string(),
  verdict: Inspection.shape.verdict.nullable().describe('Null: it could not be looked at, and `code` says why.'),
  code: z.string().nullable(),
  count: z.int().positive().describe('How often it was so, one time after the other.'),
  firstAt: Instant,
  lastAt: Instant,
  links: z.strictObject({ self: z.string(), deployment: z.string() }),
})
export type ObservationView = z.infer<typeof ObservationView>

/** One observation with the transcript. */
export const ObservationAnswer = z.strictObject({
  ...ObservationView.shape,
  inspection: Inspection.nullable().describe('The first time that it was so.'),
})
export type ObservationAnswer = z.infer<typeof ObservationAnswer>

/** What is known of an app. */
export const AppView = z.strictObject({
  app: AppId,
  deployments: z.array(DeploymentView).describe('The newest, at most twenty.'),
  composes: z.array(ComposeView).describe('The newest that were admitted, at most twenty.'),
  observation: ObservationView.nullable().describe('The newest.'),
  decision: GuestDecisionView.nullable().describe('What a KMS or a gateway was answered last.'),
  links: z.strictObject({ deployments: z.string(), composes: z.string(), observations: z.string(), decisions: z.string() }),
})
export type AppView = z.infer<typeof AppView>
