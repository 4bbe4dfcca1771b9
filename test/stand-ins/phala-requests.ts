import type { Context } from 'hono'
import { DEVICE } from './phala-documents.ts'
import type { PhalaUpdates } from './phala-updates.ts'

type Json = Record<string, unknown>

export const bodyOf = async (c: Context): Promise<Json> => (await c.req.json<Json>().catch(() => ({}))) ?? {}
/** A text of a body, or what it is without. */
export const textIn = (body: Json, name: string, otherwise: string): string => {
  const value = body[name]
  return typeof value === 'string' ? value : otherwise
}
export const versionOf = (c: Context): string => c.req.header('x-phala-version') ?? '2026-01-21'

/** What `is-allowed` answers, for a CVM or an app. */
export function allowed(updates: PhalaUpdates, appId: string, composeHash: string): Json {
  const compose_hash_allowed = updates.allowedOnChain.has(composeHash)
  return {
    app_contract_address: `0x${appId}`,
    compose_hash: composeHash,
    device_id: DEVICE,
    compose_hash_allowed,
    allow_any_device: true,
    device_id_allowed: true,
    is_allowed: compose_hash_allowed,
    error: null,
  }
}
