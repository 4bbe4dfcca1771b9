import { z } from 'zod'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { WorkerCapabilities } from '../store/records.ts'

const Instant = z.iso.datetime()

/** A builder that attempts were made in. */
export const BuilderView = z.strictObject({
  digest: Sha256,
  description: Sha256.describe('Blob of its description (bitwitness/builder-image/v1).'),
  architecture: z.string(),
  mkosi: z.string(),
  addedAt: Instant,
  links: z.strictObject({ description: z.string() }),
})
export type BuilderView = z.infer<typeof BuilderView>

/** A machine that runs attempts, by the key that its reports are signed with. */
export const WorkerView = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  place: z.enum(['in-process', 'remote']),
  publicKey: z.string().describe('Ed25519, SubjectPublicKeyInfo in base64.'),
  capabilities: WorkerCapabilities.nullable(),
  addedAt: Instant,
  revokedAt: Instant.nullable(),
  lastSeenAt: Instant.nullable(),
})
export type WorkerView = z.infer<typeof WorkerView>
