import { setTimeout as delay } from 'node:timers/promises'
import type { VerificationAnswer } from './answers.ts'
import type { ApiClient } from './api-client.ts'

/** How long statements are waited for, which a signer with a key makes at once; ms. */
export type SigningPatience = { readonly every: number; readonly altogether: number }
const PATIENCE: SigningPatience = { every: 500, altogether: 20_000 }

/** A finished verification with what was signed of it, or with what is yet to be signed where that takes long. */
export async function signedVerification(
  client: Pick<ApiClient, 'verification'>,
  id: string,
  signal: AbortSignal,
  patience: SigningPatience = PATIENCE,
): Promise<VerificationAnswer> {
  const until = performance.now() + patience.altogether
  for (;;) {
    const verification = await client.verification(id, signal)
    if (verification.unsigned.length === 0 || performance.now() >= until) return verification
    await delay(patience.every, undefined, { signal }).catch(() => {})
    signal.throwIfAborted()
  }
}
