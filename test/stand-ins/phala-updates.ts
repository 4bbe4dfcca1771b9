import { randomUUID } from 'node:crypto'
import { phalaAppCompose, type ToldCompose } from './phala-app-compose.ts'
import { DEVICE, kmsOf } from './phala-documents.ts'
import { structured } from './phala-refusals.ts'
import { hex, type PhalaCvm } from './phala-world.ts'

type Refused = { readonly status: 465 | 466 | 467 | 468; readonly body: unknown }
type Outcome = { readonly correlation_id: string; readonly status?: string } | Refused
type Pending = { readonly cvm: PhalaCvm; readonly appCompose: string; readonly token: string }

/** Updates of CVMs that run: applied at once, or, where a contract decides, once a transaction says so. */
export class PhalaUpdates {
  /** Compose hashes that the contract allows. */
  readonly allowedOnChain = new Set<string>()
  readonly #pending = new Map<string, Pending>()
  readonly #apply: (cvm: PhalaCvm, appCompose: string) => void

  constructor(apply: (cvm: PhalaCvm, appCompose: string) => void) {
    this.#apply = apply
  }

  /** PATCH /cvms/{id}, with `X-Prepare-Only` or without. */
  propose(cvm: PhalaCvm, change: Readonly<Record<string, unknown>>): Outcome {
    const { encrypted_env: _, ...compose } = change
    const was = JSON.parse(cvm.provision.appCompose) as ToldCompose
    const appCompose = phalaAppCompose({ ...was, ...compose }, { name: cvm.provision.name, script: null })
    if (cvm.provision.kms === 'PHALA') return this.#done(cvm, appCompose)
    const compose_hash = hex(appCompose)
    const pending = { cvm, appCompose, token: randomUUID() }
    this.#pending.set(compose_hash, pending)
    const onchain_status = { compose_hash_allowed: this.allowedOnChain.has(compose_hash), device_id_allowed: true, is_allowed: false }
    const values = {
      compose_hash,
      app_id: cvm.appId,
      device_id: DEVICE,
      kms_info: kmsOf(cvm.provision.kms),
      commit_token: pending.token,
      commit_url: `https://stand-in.phala.test/commit/${pending.token}`,
      api_commit_url: `https://stand-in.phala.test/api/v1/cvms/${cvm.vmUuid}/commit-update`,
      onchain_status,
    }
    const details = Object.entries(values).map(([field, value]) => ({ field, value }))
    return { status: 465, body: structured('ERR-01-005', 'the compose hash must be registered', details) }
  }

  /** PATCH with `X-Compose-Hash` and `X-Transaction-Hash`, or commit-update with a token. */
  confirm(cvm: PhalaCvm, o: { readonly composeHash: string; readonly transaction: string; readonly token?: string }): Outcome {
    const pending = this.#pending.get(o.composeHash.replace(/^0x/, ''))
    if (pending?.cvm !== cvm || (o.token !== undefined && o.token !== pending.token))
      return { status: 466, body: structured('ERR-01-006', 'the compose hash is unknown or expired') }
    if (!/^(?:0x[0-9a-f]{64}|already-registered)$/.test(o.transaction))
      return { status: 467, body: structured('ERR-01-007', 'the transaction does not verify') }
    if (!this.allowedOnChain.has(hex(pending.appCompose)))
      return { status: 468, body: structured('ERR-01-008', 'the contract does not allow the compose hash') }
    this.#pending.delete(hex(pending.appCompose))
    return this.#done(cvm, pending.appCompose)
  }

  #done(cvm: PhalaCvm, appCompose: string): Outcome {
    this.#apply(cvm, appCompose)
    return { correlation_id: randomUUID(), status: 'in_progress' }
  }
}
