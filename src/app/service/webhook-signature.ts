import { createHmac } from 'node:crypto'

/** Bytes of the secret that all others are made from. */
export const WEBHOOK_ROOT_BYTES = 32

/**
 * What callbacks to one owner are signed with, as Standard Webhooks write it: `whsec_` and 32 bytes in base64. Made from one root by
 * HMAC-SHA256, so that none is kept and no owner's says anything about another's.
 */
export function webhookSecret(root: Uint8Array, ownerId: string): string {
  return `whsec_${createHmac('sha256', root).update(`bitwitness/webhook/v1\0${ownerId}`).digest('base64')}`
}

/**
 * The headers of a callback (Standard Webhooks 1.0.0): `id` stays the same however often it is sent, `at` does not. `secret` as
 * `webhookSecret` gives it.
 */
export function webhookHeaders(secret: string, { id, at, body }: { id: string; at: Date; body: string }): Readonly<Record<string, string>> {
  const timestamp = Math.floor(at.getTime() / 1000)
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` }
}
