import type { Sha256 } from '../../../verifier/model/digest.ts'

export interface IdempotencyKeys {
  /** What the key stands for: itself with `fresh`, or what it was used for before. Expired keys count as unused. */
  claim(o: { ownerId: string; key: string; verificationId: string; requestDigest: Sha256; now: Date; expiresAt: Date }): Promise<{
    readonly fresh: boolean
    readonly verificationId: string
    readonly requestDigest: Sha256
  }>
  find(ownerId: string, key: string, now: Date): Promise<{ readonly verificationId: string; readonly requestDigest: Sha256 } | undefined>
  /** Removes expired ones, at most `limit`; says how many. */
  sweep(now: Date, limit: number): Promise<number>
}
