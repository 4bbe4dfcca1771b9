import type { OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { ServicePorts } from '../app/service/accept-verification.ts'
import type { Authenticate, Caller } from '../app/service/caller.ts'
import type { DeployTargets } from '../app/service/deploy-targets.ts'
import type { Allowlists } from '../app/service/export-allowlist.ts'
import type { Impacts } from '../app/service/find-impact.ts'
import type { Followers } from '../app/service/followers.ts'
import type { OpenGate } from '../app/service/open-gate.ts'
import type { Policies } from '../app/service/policies.ts'
import type { SubmissionRules } from '../app/service/submit-verification.ts'
import type { UploadRules } from '../app/service/take-upload.ts'
import type { Reads } from '../app/store/store-ports.ts'
import type { Rate } from './token-buckets.ts'

/** What the API stands on. */
export type HttpPorts = ServicePorts & {
  readonly reads: Reads
  readonly blobs: BlobStore
  readonly authenticate: Authenticate
  readonly followers: Pick<Followers, 'follow'>
  /** What callbacks to an owner are signed with (Standard Webhooks, `whsec_…`). */
  readonly webhookSecret: (ownerId: string) => Promise<string>
  readonly submissions: SubmissionRules
  readonly uploads: UploadRules
  /** Of the operator, by which gates decide. */
  readonly policies: Pick<Policies, 'see' | 'names'>
  readonly openGate: Pick<OpenGate, 'decide'>
  readonly impacts: Pick<Impacts, 'find'>
  readonly targets: DeployTargets
  /** Deployments of one owner that are under way or observed. */
  readonly deploymentsPerOwner: number
  readonly allowlists: Pick<Allowlists, 'find'>
  readonly limits: HttpLimits
  /** docs/errors.md, which /docs/errors is made from. */
  readonly errorsPage: () => Promise<string>
  /** Of the program. */
  readonly version: string
  /** Told of what is no caller's fault, under the id that the caller was told. */
  readonly onTrouble: (trouble: { readonly requestId: string; readonly error: unknown }) => void
  /** Told of every answer when its head is there. `route` is a pattern, such as /v1/attempts/:id, and `-` where none fits. */
  readonly onAnswer: (answer: Answered) => void
}

export type Answered = {
  readonly requestId: string
  readonly method: string
  readonly route: string
  readonly status: number
  readonly ms: number
  /** Of the failure that it says; null where it says none. */
  readonly code: string | null
}

export type HttpLimits = {
  /** Largest JSON body, bytes. */
  readonly jsonBytes: number
  /** How long the body of a request may take altogether, ms. */
  readonly jsonMs: number
  readonly uploadMs: number
  /** A body that comes slower, after so many ms of patience, is given up. */
  readonly bytesPerSecond: number
  readonly patienceMs: number
  /** How long an answer may wait for whoever does not read on, ms. */
  readonly stallMs: number
  /** Requests that change something: of an address, before anything is looked at, and of an owner. */
  readonly writesOfAddress: Rate
  readonly writesOfOwner: Rate
  /** Proxies of the operator's that requests come through, each of which adds to X-Forwarded-For. */
  readonly proxies: number
}

/** Half a minute's writes may come at once. Behind one address there may be more than one owner. */
export function writeRates(perMinute: number): Pick<HttpLimits, 'writesOfAddress' | 'writesOfOwner'> {
  const burst = Math.ceil(perMinute / 2)
  return { writesOfAddress: { burst: burst * 2, perMinute: perMinute * 2 }, writesOfOwner: { burst, perMinute } }
}

export const DEFAULT_LIMITS: HttpLimits = {
  jsonBytes: 256 << 10,
  jsonMs: 15_000,
  uploadMs: 3_600_000,
  bytesPerSecond: 4096,
  patienceMs: 10_000,
  stallMs: 60_000,
  ...writeRates(120),
  proxies: 0,
}

/** As @hono/node-server gives it; absent in tests that send no bytes. */
export type NodeBindings = {
  readonly incoming?: { readonly url?: string | undefined; readonly socket?: { readonly remoteAddress?: string | undefined } }
  readonly outgoing?: { destroy(): unknown }
  /** In place of a request that has no address. */
  readonly unreadable?: true
}

export type HttpEnv = {
  Bindings: NodeBindings
  Variables: { requestId: string; caller: Caller; problem?: string }
}

export type HttpApp = OpenAPIHono<HttpEnv>

/** For routes that somebody stands behind: `gate` lets only callers through, and sets `caller`. */
export type Gated = HttpPorts & { readonly gate: MiddlewareHandler<HttpEnv> }
