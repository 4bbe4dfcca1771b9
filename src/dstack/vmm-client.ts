import { z } from 'zod'
import { Failure } from '../../verifier/model/failure.ts'
import type { Secret } from '../../verifier/model/secret.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { type TargetFailureCode, targetFailure } from './target-failure.ts'
import { ComposeHashAnswer, CreatedVm, EnvKeyAnswer, GetInfoAnswer, ImageList, StatusAnswer, type VmInfo } from './vmm-documents.ts'
import { askVmm, type VmmAddress } from './vmm-request.ts'

export type VmmAccess = {
  readonly address: VmmAddress
  /** Null: it lets in whoever reaches it. */
  readonly token: Secret | null
  /** Of one request, ms. */
  readonly timeoutMs?: number
}

/** What a guest is made of; every key that the VMM knows and is not here keeps its meaning of none. */
export type NewVm = {
  readonly name: string
  readonly image: string
  readonly compose_file: string
  readonly vcpu: number
  readonly memory: number
  readonly disk_size: number
  readonly app_id: string | null
}

/** It starts processes, and asks the KMS for keys, before it answers. */
const TIMEOUT_MS = 60_000
/** A page of guests in brief, or one with its app-compose and environment. */
const MOST_BYTES = 8 << 20
const PAGE = 100
const MOST_PAGES = 10

const Nothing = z.unknown()

/** dstack-vmm's RPCs, in JSON over HTTP (`POST {vmm}/prpc/{Method}?json`). Failures: `target-…`. */
export class VmmClient {
  readonly #access: VmmAccess

  constructor(access: VmmAccess) {
    this.#access = access
  }

  /** Makes a guest that does not run. No TEE of its own, simulated ones, shared folders and mapped ports are never asked for. */
  async createStopped(vm: NewVm, signal: AbortSignal): Promise<string> {
    const asked = { ...vm, ports: [], encrypted_env: '', user_config: '', kms_urls: [], gateway_urls: [], stopped: true, no_tee: false }
    return (await this.#call('CreateVm', asked, CreatedVm, signal)).id
  }

  async composeHash({ name, image, compose_file }: Pick<NewVm, 'name' | 'image' | 'compose_file'>, signal: AbortSignal): Promise<string> {
    const asked = { name, image, compose_file, vcpu: 0, memory: 0, disk_size: 0, ports: [], encrypted_env: '', user_config: '' }
    return (await this.#call('GetComposeHash', asked, ComposeHashAnswer, signal)).hash
  }

  async images(signal: AbortSignal): Promise<z.infer<typeof ImageList>['images']> {
    return (await this.#call('ListImages', {}, ImageList, signal)).images
  }

  /** Undefined: there is none. */
  async info(id: string, signal: AbortSignal): Promise<VmInfo | undefined> {
    const { found, info } = await this.#call('GetInfo', { id }, GetInfoAnswer, signal)
    if (!found) return undefined
    if (info?.id !== id) throw targetFailure('target-answer-malformed')
    return info
  }

  /** Guests of exactly this name, without their configuration. */
  async named(name: string, signal: AbortSignal): Promise<readonly VmInfo[]> {
    const found: VmInfo[] = []
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const asked = { ids: [], brief: true, keyword: name, page, page_size: PAGE }
      const { vms } = await this.#call('Status', asked, StatusAnswer, signal)
      found.push(...vms.filter((vm) => vm.name === name))
      if (vms.length < PAGE) return found
    }
    throw targetFailure('target-answer-malformed')
  }

  /** X25519, hex: of the app, by the KMS that the VMM asks. That it is the app's is the VMM's word. */
  async envKey(appId: string, signal: AbortSignal): Promise<string> {
    const { public_key: key } = await this.#call('GetAppEnvEncryptPubKey', { app_id: appId }, EnvKeyAnswer, signal)
    return key.replace(/^0x/, '').toLowerCase()
  }

  /** Gives a guest its environment; everything else of it stays. */
  async setEnvironment(id: string, encryptedEnv: string, signal: AbortSignal): Promise<void> {
    const asked = { id, compose_file: '', encrypted_env: encryptedEnv, user_config: '', update_ports: false, ports: [] }
    await this.#call('UpdateVm', asked, Nothing, signal)
  }

  async start(id: string, signal: AbortSignal): Promise<void> {
    await this.#call('StartVm', { id }, Nothing, signal)
  }

  async stop(id: string, signal: AbortSignal): Promise<void> {
    await this.#call('StopVm', { id }, Nothing, signal)
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    await this.#call('RemoveVm', { id }, Nothing, signal)
  }

  async #call<S extends z.ZodType>(method: string, asked: object, schema: S, signal: AbortSignal): Promise<z.infer<S>> {
    const { address, token, timeoutMs = TIMEOUT_MS } = this.#access
    const { status, body } = await askVmm({
      address: { ...address, url: new URL(`prpc/${method}?json`, address.url) },
      headers: token === null ? {} : { authorization: `Bearer ${token.reveal()}` },
      body: JSON.stringify(asked),
      maxBytes: MOST_BYTES,
      timeoutMs,
      signal,
    })
    if (status !== 200) throw targetFailure(codeOf(status), { status })
    const read = schema.safeParse(body.length === 0 ? null : jsonFrom(body))
    if (!read.success) throw targetFailure('target-answer-malformed')
    return read.data
  }
}

/** What is wrong with a call dstack-vmm answers with 400, whatever it is. */
function codeOf(status: number): TargetFailureCode {
  if (status === 401 || status === 403) return 'target-credentials-refused'
  if (status >= 300 && status < 400) return 'target-redirects'
  if (status >= 500 || status === 408 || status === 429) return 'target-failing'
  return status >= 400 ? 'target-order-refused' : 'target-answer-malformed'
}

function jsonFrom(body: Uint8Array): unknown {
  try {
    return parseStrictJson(body)
  } catch (error) {
    throw error instanceof Failure ? targetFailure('target-answer-malformed') : error
  }
}
