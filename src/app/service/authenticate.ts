import type { Owner } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { type Authenticate, type Caller, SCOPES } from './caller.ts'
import { credentialsMissing, tokenInvalid } from './credentials-refused.ts'
import type { Identify, Identity } from './identity.ts'
import { tokenDigest } from './token-secret.ts'

export type AuthenticatePorts = ServicePorts & {
  readonly reads: Pick<Reads, 'owners' | 'tokens'>
  readonly identify: Identify
}

/** More than any identity token is. */
const MAX_HEADER = 16 * 1024
/** Reading with a token writes no more often. */
const USE_NOTED_MS = 60_000

export function authenticator(ports: AuthenticatePorts): Authenticate {
  return async (header) => {
    if (header === null) throw credentialsMissing()
    const token = header.length > MAX_HEADER ? undefined : /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1]
    const caller = token === undefined ? undefined : await callerOf(token, ports)
    if (caller === undefined) throw tokenInvalid()
    return caller
  }
}

async function callerOf(token: string, ports: AuthenticatePorts): Promise<Caller | undefined> {
  const digest = tokenDigest(token)
  if (digest !== undefined) return await ofApiToken(digest, ports)
  if (token.split('.').length !== 3) return undefined
  const identity = await ports.identify(token)
  if (identity === undefined) return undefined
  const { repositories, trusted } = identity
  return { owner: await ownerOf(identity, ports), scopes: SCOPES, repositories, trusted }
}

async function ofApiToken(digest: NonNullable<ReturnType<typeof tokenDigest>>, ports: AuthenticatePorts): Promise<Caller | undefined> {
  const { reads, unitOfWork } = ports
  const now = ports.now()
  const found = await reads.tokens.withSecret(digest, now)
  if (found === undefined) return undefined
  const { token, owner } = found
  const since = new Date(now.getTime() - USE_NOTED_MS)
  if (token.lastUsedAt === null || token.lastUsedAt < since) await unitOfWork.run(({ tokens }) => tokens.used(token.id, { now, since }))
  // Tokens are the operator's to give: who has one is vouched for.
  return { owner, scopes: token.scopes, repositories: null, trusted: true }
}

/** Known ones are read: a job that follows its verification writes nothing. */
async function ownerOf({ issuer, subject, name }: Identity, { reads, unitOfWork, now, newId }: AuthenticatePorts): Promise<Owner> {
  const known = await reads.owners.withSubject(issuer, subject)
  if (known?.name === name) return known
  const owner = { id: newId(), kind: 'oidc', issuer, subject, name, createdAt: now() } as const
  return await unitOfWork.run(({ owners }) => owners.ensure(owner))
}
