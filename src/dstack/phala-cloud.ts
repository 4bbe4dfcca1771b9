import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { AppEnvironment, DeployTarget, Offered, Ordered } from '../app/deploy/deploy-target.ts'
import type { GuestState, Offer } from '../app/deploy/deployment.ts'
import { encryptEnvironment } from './encrypt-environment.ts'
import { Committed, Cvm, CvmAttestation, CvmState, NextAppIds, Provisioned } from './phala-answers.ts'
import { PhalaApi, type PhalaApiOptions } from './phala-api.ts'
import { phalaExamples } from './phala-examples.ts'
import { checkEnvironment, phalaOrder } from './phala-order.ts'
import { predictedBytes } from './phala-prediction.ts'
import { targetFailure } from './target-failure.ts'

export type PhalaCloudOptions = PhalaApiOptions & {
  /** Texts of pre-launch scripts that Phala Cloud may put in where the order has none. */
  readonly scripts?: readonly string[]
}

type Offering = { readonly ordered: Ordered; readonly offer: Offer }

/**
 * Phala Cloud as a target, over its plain HTTP API: an order is provisioned, which says a hash and starts nothing, and committed, which starts it.
 *
 * Its own client (`@phala/cloud` 0.2.9) is not used, for what it does with the key and with answers: it follows redirects and sends `X-API-Key`
 * wherever they lead, reads answers of any length, puts the other side’s texts into its errors, asks again by itself where GETs fail, and
 * brings viem and a second zod, which nothing here needs. A test holds what is sent against what that client sends.
 */
export class PhalaCloud implements DeployTarget {
  readonly kind = 'phala-cloud'
  readonly #api: PhalaApi
  readonly #scripts: readonly string[]

  /** Throws `target-address-plain`. */
  constructor({ scripts = [], ...api }: PhalaCloudOptions) {
    this.#api = new PhalaApi(api)
    this.#scripts = scripts
  }

  async offer(ordered: Ordered, signal: AbortSignal): Promise<Offered> {
    const order = phalaOrder(ordered)
    const body = { ...order.body, ...(await this.#chosenAppId(ordered, signal)) }
    const answer = await this.#api.post({ path: '/cvms/provision', body, schema: Provisioned, signal })
    if (answer.app_id === null) throw targetFailure('target-kms-on-chain')
    const basis = { ordered: ordered.appCompose, order, name: ordered.order.name, scripts: this.#scripts }
    const bytes =
      predictedBytes(basis, answer.compose_hash) ??
      predictedBytes({ ...basis, examples: await phalaExamples(this.#api, signal) }, answer.compose_hash)
    const offer = {
      composeHash: answer.compose_hash,
      appCompose: bytes === null ? null : digestOf(bytes),
      appId: answer.app_id,
      osImageHash: answer.os_image_hash,
      deviceId: answer.device_id,
      envKey: answer.app_env_encrypt_pubkey,
      handle: {},
    }
    return { offer, appCompose: bytes }
  }

  /** A name is there once, and so is an app id: what was begun twice is refused, and found. */
  async commit(o: Offering & { readonly environment: AppEnvironment | null }, signal: AbortSignal): Promise<string> {
    const { ordered, offer } = o
    const body = { app_id: offer.appId, compose_hash: offer.composeHash, ...encrypted(o) }
    try {
      return (await this.#api.post({ path: '/cvms', body, schema: Committed, signal })).vm_uuid
    } catch (error) {
      // Where it was started, or was already, and the answer does not say as what, a look at it does.
      if (!(error instanceof Failure) || !/^target-(?:answer-malformed|name-taken|app-taken)$/.test(error.code)) throw error
      const found = await this.find({ ordered, offer }, signal)
      if (found !== undefined) return found
      if (error.code === 'target-answer-malformed') throw targetFailure(error.code, {}, true)
      throw error
    }
  }

  async find({ ordered: { order }, offer }: Offering, signal: AbortSignal): Promise<string | undefined> {
    const cvm = await this.#later(this.#api.find({ path: `/cvms/app_${offer.appId}`, schema: Cvm, signal }))
    if (cvm === undefined) return undefined
    const other = cvm.app_id !== offer.appId || cvm.name !== order.name
    // An app id that was given by the offer was nobody's before; one that was ordered may have run something else for long.
    const older = order.appId !== null && cvm.compose_hash !== null && cvm.compose_hash !== offer.composeHash
    if (other || older) throw targetFailure('target-app-taken')
    // It has none in its first moments.
    if (cvm.vm_uuid === null) throw targetFailure('target-failing')
    return cvm.vm_uuid
  }

  async state(guest: string, signal: AbortSignal): Promise<GuestState> {
    const state = await this.#later(this.#api.find({ path: `/cvms/${guest}/state`, schema: CvmState, signal }))
    const status = state === undefined ? 'stopped' : statusOf(state)
    const cvm = status === 'running' ? await this.#later(this.#api.find({ path: `/cvms/${guest}`, schema: Cvm, signal })) : undefined
    return {
      status,
      appId: cvm?.app_id ?? null,
      instanceId: cvm?.instance_id ?? null,
      gatewayDomain: cvm?.gateway?.base_domain ?? cvm?.gateway_domain ?? null,
      gatewayPort: 443,
    }
  }

  async attested(guest: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await this.#later(this.#api.find({ path: `/cvms/${guest}/attestation`, schema: CvmAttestation, signal }))
    const text = answer?.tcb_info?.app_compose ?? ''
    return text === '' ? undefined : Buffer.from(text)
  }

  /** Stops and deletes it: what is only stopped may be started again by whoever has the account, and nothing would ask the policy. */
  async stop(guest: string, signal: AbortSignal): Promise<void> {
    const path = `/cvms/${guest}`
    await this.#later(this.#api.end({ method: 'POST', path: `${path}/stop`, signal })).catch(passOver)
    await this.#later(this.#api.end({ method: 'DELETE', path, signal }))
  }

  /** What was provisioned and never committed is nothing. */
  async withdraw(): Promise<void> {}

  /** Of the app ids that the KMS of Phala Cloud gives next each belongs to a number, which goes with it. */
  async #chosenAppId({ order: { appId } }: Ordered, signal: AbortSignal): Promise<Record<string, unknown>> {
    if (appId === null) return {}
    if ((await this.#api.find({ path: `/cvms/app_${appId}`, schema: Cvm, signal })) !== undefined) throw targetFailure('target-app-taken')
    const { app_ids } = await this.#api.get({ path: '/kms/phala/next_app_id?counts=20', schema: NextAppIds, signal })
    const next = app_ids.find(({ app_id }) => app_id === appId)
    if (next === undefined) throw targetFailure('target-app-id-unavailable')
    return { app_id: appId, nonce: next.nonce }
  }

  /** Once something may run, an answer that makes no sense is worth another try. */
  async #later<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked
    } catch (error) {
      if (!(error instanceof Failure) || !/^target-(?:answer-malformed|name-taken)$/.test(error.code)) throw error
      throw targetFailure('target-failing')
    }
  }
}

function encrypted({ ordered, offer, environment }: Parameters<PhalaCloud['commit']>[0]): { readonly encrypted_env?: string } {
  if (environment === null || environment.length === 0) return {}
  checkEnvironment(
    phalaOrder(ordered).told,
    environment.map(({ name }) => name),
  )
  if (offer.envKey === null) throw targetFailure('target-environment-key-missing')
  return { encrypted_env: encryptEnvironment(environment, offer.envKey) }
}

/** A guest that does not run cannot be stopped, and can be deleted: what matters is said there. */
function passOver(error: unknown): void {
  if (!(error instanceof Failure)) throw error
}

/** Words that nobody here knows are those of a guest on its way. */
function statusOf({ status, boot_error }: { readonly status: string; readonly boot_error: string | null }): GuestState['status'] {
  if (boot_error !== null && boot_error !== '') return 'failed'
  if (status === 'running') return 'running'
  if (/^(?:error|failed)$/.test(status)) return 'failed'
  return /^(?:stopped|stopping|exited|shutdown|shutting_down|deleted|deleting|removing|removed)$/.test(status) ? 'stopped' : 'starting'
}
