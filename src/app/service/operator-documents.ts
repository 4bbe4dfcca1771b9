import { z } from 'zod'
import { WorkerCapabilities } from '../store/records.ts'
import { SCOPES } from './caller.ts'
import { WorkerPublicKey } from './worker-public-key.ts'

/** What the operator's commands are told and answer: on the command line with --json, and between a command and the server that runs. */
const Instant = z.iso.datetime()
const Id = z.uuid()

export const DEFAULT_TOKEN_DAYS = 90
export const MAX_TOKEN_DAYS = 366

/** Of tokens and workers: what anybody may read in a list, on a terminal or on a page. */
export const OperatorName = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9._@ -]{0,62}[A-Za-z0-9._@-])?$/)

export const TokenRequest = z.strictObject({
  name: OperatorName,
  /** Whose submissions they are; made where there is none of this name. */
  owner: OperatorName,
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  days: z.int().min(1).max(MAX_TOKEN_DAYS),
})
export type TokenRequest = z.infer<typeof TokenRequest>

/** An API token without its secret. */
export const TokenView = z.strictObject({
  id: Id,
  name: z.string(),
  owner: z.strictObject({ id: Id, name: z.string() }),
  scopes: z.array(z.string()),
  createdAt: Instant,
  expiresAt: Instant,
  revokedAt: Instant.nullable(),
  /** To the minute. */
  lastUsedAt: Instant.nullable(),
})
export type TokenView = z.infer<typeof TokenView>

export const TokenCreated = z.strictObject({
  schema: z.literal('bitwitness/token-created/v1'),
  /** The only time that it shows. */
  secret: z.string(),
  token: TokenView,
})
export type TokenCreated = z.infer<typeof TokenCreated>

export const TokenList = z.strictObject({
  schema: z.literal('bitwitness/token-list/v1'),
  /** Newest first, ended ones among them. */
  tokens: z.array(TokenView),
})
export type TokenList = z.infer<typeof TokenList>

export const TokenRevoked = z.strictObject({ schema: z.literal('bitwitness/token-revoked/v1'), token: TokenView })
export type TokenRevoked = z.infer<typeof TokenRevoked>

export const WorkerRequest = z.strictObject({ name: OperatorName, publicKey: WorkerPublicKey })
export type WorkerRequest = z.infer<typeof WorkerRequest>

export const RegisteredWorker = z.strictObject({
  id: Id,
  name: z.string(),
  place: z.enum(['in-process', 'remote']),
  publicKey: z.string(),
  /** As it said last; null until it was heard of. */
  capabilities: WorkerCapabilities.nullable(),
  addedAt: Instant,
  revokedAt: Instant.nullable(),
  lastSeenAt: Instant.nullable(),
})
export type RegisteredWorker = z.infer<typeof RegisteredWorker>

export const WorkerAdded = z.strictObject({ schema: z.literal('bitwitness/worker-added/v1'), worker: RegisteredWorker })
export type WorkerAdded = z.infer<typeof WorkerAdded>

export const WorkerList = z.strictObject({
  schema: z.literal('bitwitness/worker-list/v1'),
  /** Newest first, revoked ones among them. */
  workers: z.array(RegisteredWorker),
})
export type WorkerList = z.infer<typeof WorkerList>

export const WorkerRevoked = z.strictObject({ schema: z.literal('bitwitness/worker-revoked/v1'), worker: RegisteredWorker })
export type WorkerRevoked = z.infer<typeof WorkerRevoked>
