import { z } from 'zod'
import { Tier } from '../../../verifier/model/comparison.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Verdict } from '../../../verifier/model/verdict.ts'
import { Deployment, Ending, GuestState, LiveAnswer } from './deployment.ts'

export const DEPLOY_SCHEMA = 'bitwitness/deploy/v1'

/** What `deploy` did. */
export const DeployDocument = z.strictObject({
  schema: z.literal(DEPLOY_SCHEMA),
  /**
   * Null: it is not known yet, and the same command goes on. `failed` also where the rebuild did not give the image. `gone`: it ran, and what was
   * deployed does not run any more.
   */
  verdict: z.enum(['running', 'denied', 'failed', 'gone']).nullable(),
  /** Null: an app-compose was given, and nothing to push. */
  pushed: z.strictObject({ image: z.string(), composeHash: Sha256 }).nullable(),
  /** Null: nothing was submitted. */
  verification: z.strictObject({ id: z.uuid(), url: z.url(), verdict: Verdict.nullable(), tier: Tier.nullable() }).nullable(),
  /** Whether the service has the app-compose as one that its owner wants the app to run. Null: it was not asked, or not by now. */
  admission: z.strictObject({ app: z.string(), composeHash: Sha256, admitted: z.boolean(), code: z.string().nullable() }).nullable(),
  /** Null: it was not ordered yet. */
  deployment: Deployment.nullable(),
  /** How it is now, where it ran already when the command was given: looked at `at`. Null: it was followed to its end just now. */
  now: z
    .strictObject({
      at: z.iso.datetime(),
      status: GuestState.shape.status,
      url: z.string().nullable(),
      answers: z.array(LiveAnswer),
      /** Why this is not what was deployed and ran. */
      why: Ending.nullable(),
    })
    .nullable(),
  /** Where the app answers. */
  url: z.string().nullable(),
  /** Whether the service looks at what runs from now on: as which deployment, or why not. Null: nothing runs, or there is no service to tell. */
  announcement: z.strictObject({ deployment: z.uuid().nullable(), code: z.string().nullable() }).nullable(),
  /** Where what is known of the app, or of its image, is to be read. */
  provenance: z.string().nullable(),
})
export type DeployDocument = z.infer<typeof DeployDocument>
