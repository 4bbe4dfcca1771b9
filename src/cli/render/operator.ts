import { visible } from '../../../verifier/model/visible.ts'
import type { RegisteredWorker, TokenView } from '../../app/service/operator-documents.ts'

/** A token in two lines; what it ended by comes last. */
export function tokenLines({ id, name, owner, scopes, expiresAt, revokedAt, lastUsedAt }: TokenView): string[] {
  const ends = revokedAt === null ? `until ${minute(expiresAt)}` : `revoked ${minute(revokedAt)}`
  const used = lastUsedAt === null ? 'never used' : `used ${minute(lastUsedAt)}`
  return [id, `  ${visible(name)}, of ${visible(owner.name)}, for ${scopes.map(visible).join(' and ')}; ${used}, ${ends}`]
}

export function workerLines({ name, place, publicKey, capabilities, addedAt, revokedAt, lastSeenAt }: RegisteredWorker): string[] {
  const can = capabilities === null ? '' : `, ${visible(capabilities.architecture)}`
  const seen = lastSeenAt === null ? 'never seen' : `seen ${minute(lastSeenAt)}`
  const ends = revokedAt === null ? `added ${minute(addedAt)}` : `revoked ${minute(revokedAt)}`
  return [visible(name), `  ${place}${can}; ${seen}, ${ends}`, `  ${visible(publicKey)}`]
}

/** Of an instant in UTC. */
function minute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)}Z`
}
