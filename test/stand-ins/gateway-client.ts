import { exchange } from './posted.ts'

/** `AppInfo` as a gateway sends it: bytes as hex in small letters, without 0x. */
export type GatewayAppInfo = {
  readonly app_id: string
  readonly compose_hash: string
  readonly instance_id: string
  readonly device_id: string
  readonly mr_system: string
  readonly mr_aggregated: string
  readonly os_image_hash: string
  readonly key_provider_info: string
  /** Null: the evidence does not say. */
  readonly init_script_hashes: readonly string[] | null
}

/**
 * The gateway of dstack as a webhook sees it (dstack, gateway/src/main_service/auth_client.rs). It looks at nothing but the status, and only from 400 on
 * that is a no: what should be a redirect, or nothing new, would be a yes as well.
 */
export class GatewayClient {
  readonly #url: string
  readonly #timeoutMs: number

  /** `url` and `timeout` as gateway.toml has them. */
  constructor(o: { readonly url: string; readonly timeoutMs?: number }) {
    this.#url = o.url
    this.#timeoutMs = o.timeoutMs ?? 5000
  }

  /** Whether a guest gets traffic. An answer that does not come in time is a no. */
  async isAppAuthorized(info: GatewayAppInfo): Promise<boolean> {
    const signal = AbortSignal.timeout(this.#timeoutMs)
    const o = {
      method: 'POST',
      url: this.#url,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(info),
      signal,
    } as const
    const answer = await exchange(o).catch(() => undefined)
    return answer !== undefined && answer.status < 400
  }
}
