import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { keyUnreadable, openKeyText } from '../../verifier/bytes/key-text.ts'
import { WEBHOOK_ROOT_BYTES } from '../app/service/webhook-signature.ts'

/** Name below the folder of keys. */
const NAME = 'webhook.key'
const WHOSE = 'the root of the secrets that callbacks are signed with'

/** The root that all secrets of callbacks are made from, made where there is none yet. Failures: those of `openKeyText`. */
export async function openWebhookRoot(folder: string): Promise<Uint8Array> {
  const text = await openKeyText(path.join(folder, NAME), WHOSE, () => `${randomBytes(WEBHOOK_ROOT_BYTES).toString('base64')}\n`)
  const root = Buffer.from(text.trim(), 'base64')
  if (root.length === WEBHOOK_ROOT_BYTES && root.toString('base64') === text.trim()) return root
  throw keyUnreadable(WHOSE, `not ${WEBHOOK_ROOT_BYTES} bytes in base64`)
}
