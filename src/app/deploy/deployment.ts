import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { AppId } from '../compose/compose-hash.ts'
import { Decision } from '../gate/decision.ts'

export const DEPLOYMENT_SCHEMA = 'bitwitness/deployment/v1'

const Instant = z.iso.datetime()
const Word = z.string().min(1).max(128)
const Size = z.int().positive()

/** Where the app answers in the guest, and what is asked of it once it runs. */
const LivePort = z.strictObject({
  port: z.int().min(1).max(65_535),
  /** Who ends TLS: the gateway, or, with `s`, the app itself; `g` is gRPC. */
  suffix: z.enum(['', 's', 'g']).default(''),
  /** Asked beside `/`. */
  healthPath: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/)
    .max(256)
    .nullable()
    .default(null),
})

/** What a deployer wants to have run. The bytes of the app-compose are kept beside it, by their sha256; secrets are never part of it. */
export const DeployOrder = z.strictObject({
  /** Of the guest, as Phala Cloud takes it. */
  name: z.string().regex(/^[a-z][a-z0-9-]{3,61}[a-z0-9]$/),
  /** sha256 of the exact bytes that are to be measured. */
  appCompose: Sha256,
  /** Null: the target gives one, or it follows from the app-compose. */
  appId: AppId.nullable().default(null),
  live: LivePort.nullable().default(null),
  /**
   * What becomes of a target that will measure other bytes than those of `appCompose`, and shows them only once they run: it is denied, or, by
   * this very word, started without secrets, judged by the bytes that it then attests, and stopped where they are denied.
   */
  unpredicted: z.enum(['deny', 'start-without-secrets']).default('deny'),
  /** Of the target's own words; what a target does not know it refuses. */
  options: z
    .strictObject({
      node: Size.optional(),
      region: Word.optional(),
      kms: Word.optional(),
      instanceType: Word.optional(),
      image: Word.optional(),
      vcpu: Size.optional(),
      /** MiB. */
      memory: Size.optional(),
      /** GiB. */
      disk: Size.optional(),
    })
    .default({}),
})
export type DeployOrder = z.infer<typeof DeployOrder>

/** What a target says before anything runs. */
export const Offer = z.strictObject({
  /** What it will measure. */
  composeHash: Sha256,
  /** The bytes of that hash, where they were known beforehand; null: nobody has seen them. */
  appCompose: Sha256.nullable(),
  appId: AppId.nullable(),
  osImageHash: Sha256.nullable(),
  deviceId: Sha256.nullable(),
  /** X25519 key of the app that environment is encrypted to, hex; null: there is none, or nothing to encrypt. */
  envKey: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  /** What the target has to be told to go on; none of it secret. */
  handle: z.record(z.string().max(64), z.union([z.string().max(1024), z.int(), z.null()])),
})
export type Offer = z.infer<typeof Offer>

/** A guest as its target names it. */
export const GuestState = z.strictObject({
  status: z.enum(['starting', 'running', 'stopped', 'failed']),
  appId: AppId.nullable(),
  instanceId: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullable(),
  /** Domain of the gateway that its live URL is under. */
  gatewayDomain: z.string().max(253).nullable(),
  /** On which that gateway listens. */
  gatewayPort: z.int().min(1).max(65_535),
})
export type GuestState = z.infer<typeof GuestState>

export const LiveAnswer = z.strictObject({
  path: z.string(),
  /** Of HTTP; null: no answer within the bounds. */ status: z.int().nullable(),
})

/** Why a deployment ended otherwise than running: a code of ours, with what to do. */
export const Ending = z.strictObject({ code: z.string(), message: z.string(), hint: z.string() })

const at = { at: Instant }
/** What happened to a deployment, one after another; its state follows from them. */
export const DeploymentEvent = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('offered'), ...at, offer: Offer }),
  /** `basis`: bytes that were known beforehand, or those that the guest attested once it ran. */
  z.strictObject({ kind: z.literal('decided'), ...at, basis: z.enum(['predicted', 'attested']), decision: Decision }),
  /** Nobody has seen the bytes; the order says that it is to be started without secrets. */
  z.strictObject({ kind: z.literal('unpredicted'), ...at }),
  /** Written before the target is told: whoever comes after a crash looks for what it may have started. */
  z.strictObject({ kind: z.literal('committing'), ...at }),
  z.strictObject({ kind: z.literal('committed'), ...at, guest: z.string().min(1).max(128) }),
  z.strictObject({ kind: z.literal('attested'), ...at, appCompose: Sha256 }),
  z.strictObject({ kind: z.literal('state'), ...at, state: GuestState }),
  z.strictObject({ kind: z.literal('live'), ...at, url: z.string().nullable(), answers: z.array(LiveAnswer) }),
  /** What was started is being stopped, because of `why`. */
  z.strictObject({ kind: z.literal('stopping'), ...at, why: Ending }),
  z.strictObject({ kind: z.literal('ended'), ...at, state: z.enum(['denied', 'failed']), why: Ending }),
])
export type DeploymentEvent = z.infer<typeof DeploymentEvent>

export const DeploymentState = z.enum([
  'ordered',
  'offered',
  'allowed',
  'committing',
  'committed',
  'attested',
  'stopping',
  'running',
  'denied',
  'failed',
])
export type DeploymentState = z.infer<typeof DeploymentState>

/** One deployment, from the order to its end. */
export const Deployment = z.strictObject({
  schema: z.literal(DEPLOYMENT_SCHEMA),
  state: DeploymentState,
  id: z.uuid(),
  /** A name of the operator's, or the kind of the target. */
  target: Word,
  /** Name of the policy that decides. */
  policy: Word,
  orderedAt: Instant,
  order: DeployOrder,
  events: z.array(DeploymentEvent),
})
export type Deployment = z.infer<typeof Deployment>
