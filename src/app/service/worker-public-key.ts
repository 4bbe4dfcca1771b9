import { z } from 'zod'
import { Failure } from '../../../verifier/model/failure.ts'

/**
 * A worker's public key, by which it is known: Ed25519, SubjectPublicKeyInfo (RFC 8410) in base64. Beginning and length are always the
 * same, and of each key this takes one spelling only.
 */
export const WorkerPublicKey = z
  .string()
  .regex(/^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/)
  .brand<'WorkerPublicKey'>()
export type WorkerPublicKey = z.infer<typeof WorkerPublicKey>

/** Fails with `worker-key-malformed`. */
export function parseWorkerPublicKey(text: string): WorkerPublicKey {
  const parsed = WorkerPublicKey.safeParse(text)
  if (parsed.success) return parsed.data
  throw new Failure({
    code: 'worker-key-malformed',
    message: "not a worker's public key",
    hint: 'give the line that `worker key` prints on the machine of the worker',
  })
}
