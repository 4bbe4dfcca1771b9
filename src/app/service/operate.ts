import { Failure } from '../../../verifier/model/failure.ts'
import { MAX_PAGE } from '../store/page.ts'
import type { Owner, Token, Worker } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import type { Operator } from './operator.ts'
import type { RegisteredWorker, TokenView } from './operator-documents.ts'
import { TOKEN_BYTES, tokenDigest, tokenSecret } from './token-secret.ts'

export type OperatorPorts = ServicePorts & {
  readonly reads: Pick<Reads, 'owners' | 'tokens' | 'workers'>
  /** Bytes that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array
}

const DAY_MS = 86_400_000

/** What the operator does, on the store. */
export function operatorOn(ports: OperatorPorts): Operator {
  const { unitOfWork, reads, now, newId, random } = ports
  return {
    createToken: async ({ name, owner: ownerName, scopes, days }) => {
      const secret = tokenSecret(random(TOKEN_BYTES))
      const secretDigest = tokenDigest(secret)
      if (secretDigest === undefined) throw new Error('not a token')
      const createdAt = now()
      const made = { id: newId(), kind: 'local', issuer: 'local', subject: ownerName, name: ownerName, createdAt } as const
      const ended = { expiresAt: new Date(createdAt.getTime() + days * DAY_MS), revokedAt: null, lastUsedAt: null }
      const id = newId()
      return await unitOfWork.run(async (unit) => {
        const owner = await unit.owners.ensure(made)
        const token = { id, ownerId: owner.id, name, scopes: [...new Set(scopes)], createdAt, ...ended }
        await unit.tokens.insert(token, secretDigest)
        return { secret, token: tokenView(token, owner) }
      })
    },
    tokens: async (cursor) => {
      const { items, next } = await reads.tokens.page({ cursor, limit: MAX_PAGE })
      const owners = new Map<string, Owner | undefined>()
      for (const { ownerId } of items) if (!owners.has(ownerId)) owners.set(ownerId, await reads.owners.find(ownerId))
      return { items: items.map((token) => tokenView(token, owners.get(token.ownerId))), next }
    },
    revokeToken: async (id) => {
      const at = now()
      const revoked = await unitOfWork.run(async ({ tokens, owners }) => {
        const token = await tokens.revoke(id, at)
        return token === undefined ? undefined : tokenView(token, await owners.find(token.ownerId))
      })
      if (revoked !== undefined) return revoked
      throw new Failure({ code: 'token-unknown', message: 'there is no such token', hint: 'give an id that `token list` shows' })
    },
    addWorker: async ({ name, publicKey }) => {
      const heard = { capabilities: null, revokedAt: null, lastSeenAt: null }
      const worker: Worker = { id: newId(), name, place: 'remote', publicKey, addedAt: now(), ...heard }
      if (await unitOfWork.run(({ workers }) => workers.insert(worker))) return workerView(worker)
      throw new Failure({
        code: 'worker-exists',
        message: 'a worker has this name or this key, or had it before it was revoked',
        hint: 'look at `worker list`; give another name, and a key that was never registered here',
      })
    },
    workers: async (cursor) => {
      const { items, next } = await reads.workers.page({ cursor, limit: MAX_PAGE })
      return { items: items.map(workerView), next }
    },
    revokeWorker: async (name) => {
      const at = now()
      const revoked = await unitOfWork.run(({ workers }) => workers.revoke(name, at))
      if (revoked !== undefined) return workerView(revoked)
      throw new Failure({ code: 'worker-unknown', message: 'there is no such worker', hint: 'give a name that `worker list` shows' })
    },
  }
}

function tokenView(token: Token, owner: Pick<Owner, 'id' | 'name'> | undefined): TokenView {
  const { id, name, scopes, createdAt, expiresAt, revokedAt, lastUsedAt } = token
  return {
    id,
    name,
    owner: { id: token.ownerId, name: owner?.name ?? '' },
    scopes: [...scopes],
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  }
}

function workerView({ addedAt, revokedAt, lastSeenAt, ...rest }: Worker): RegisteredWorker {
  return {
    ...rest,
    addedAt: addedAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
  }
}
