import { z } from 'zod'
import { exchange } from './posted.ts'

/** `PolicyBootInfo` as a KMS sends it: bytes as hex in small letters, without 0x. Older ones leave out `teeVariant` and `keyProviderInfo`. */
export type PolicyBootInfo = {
  readonly teeVariant?: 'dstack-tdx' | 'dstack-gcp-tdx' | 'dstack-nitro-enclave' | 'dstack-amd-sev-snp' | 'dstack-aws-nitro-tpm'
  readonly mrAggregated: string
  readonly osImageHash: string
  readonly mrSystem: string
  readonly appId: string
  readonly composeHash: string
  readonly instanceId: string
  readonly deviceId: string
  readonly keyProviderInfo?: string
  readonly tcbStatus: string
  readonly advisoryIds: readonly string[]
}

/** All three have to be there, whatever else is. */
const BootResponse = z.object({ isAllowed: z.boolean(), gatewayAppId: z.string(), reason: z.string() })
export type BootResponse = z.infer<typeof BootResponse>

const AuthApiInfo = z.object({
  status: z.string(),
  kmsContractAddr: z.string(),
  ethRpcUrl: z.string().default(''),
  gatewayAppId: z.string(),
  chainId: z.int().min(0),
  appImplementation: z.string(),
})

/** What a guest, or whoever asks a KMS, is told when it gets no keys. */
export class KeysRefused extends Error {}

/**
 * The KMS of dstack as a webhook sees it (dstack, kms/src/main_service/upgrade_authority.rs and kms/src/main_service.rs): no token, no signature, no
 * memory of answers, each request on a connection of its own. Whatever is no 2xx, or not what it expects, is no keys.
 */
export class KmsClient {
  readonly #url: string
  readonly #self: PolicyBootInfo | null

  /** `url` as kms.toml has it. `self`: what the KMS is, where it asks about itself first (`enforce_self_authorization`). */
  constructor(o: { readonly url: string; readonly self?: PolicyBootInfo | null }) {
    this.#url = o.url
    this.#self = o.self ?? null
  }

  async isAppAllowed(info: PolicyBootInfo, isKms: boolean): Promise<BootResponse> {
    const url = `${this.#url}${this.#url.endsWith('/') ? '' : '/'}bootAuth/${isKms ? 'kms' : 'app'}`
    return await this.#send(BootResponse, { method: 'POST', url, body: JSON.stringify(info) })
  }

  /** GetAppKey and SignCert: itself, then the app. Gives what the guest is told of its gateway. Rejects with `KeysRefused`. */
  async getAppKey(info: PolicyBootInfo): Promise<{ readonly gatewayAppId: string }> {
    await this.#requireSelf()
    const { isAllowed, reason, gatewayAppId } = await this.isAppAllowed(info, false)
    if (!isAllowed) throw new KeysRefused(`Boot denied: ${reason}`)
    return { gatewayAppId }
  }

  /** GetAppEnvEncryptPubKey and GetTempCaCert ask about the KMS alone. Rejects with `KeysRefused`. */
  async getTempCaCert(): Promise<void> {
    await this.#requireSelf()
  }

  /** What it shows of its authority; fails where that does not say it. */
  async getMeta(): Promise<z.infer<typeof AuthApiInfo>> {
    return await this.#send(AuthApiInfo, { method: 'GET', url: this.#url })
  }

  async #requireSelf(): Promise<void> {
    if (this.#self === null) return
    const { isAllowed, reason } = await this.isAppAllowed(this.#self, true)
    if (!isAllowed) throw new KeysRefused(`KMS is not allowed: ${reason}`)
  }

  async #send<T extends z.ZodType>(
    expected: T,
    o: { readonly method: 'GET' | 'POST'; readonly url: string; readonly body?: string },
  ): Promise<z.output<T>> {
    const type = o.body === undefined ? {} : { 'content-type': 'application/json' }
    const { status, body } = await exchange({ ...o, headers: { ...type, 'user-agent': 'dstack-kms/0.5.6' } })
    if (status < 200 || status > 299) throw new KeysRefused(`auth api ${o.url} returned ${status}: ${body.subarray(0, 512).toString()}`)
    const { data, success } = expected.safeParse(parsed(body.toString()))
    if (!success) throw new KeysRefused(`failed to decode response from ${o.url}, status=${status}`)
    return data
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
