import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { utf8Text } from '../../verifier/model/utf8-text.ts'
import type { DeployTarget, Offered, Ordered } from '../app/deploy/deploy-target.ts'
import type { GuestState, Offer } from '../app/deploy/deployment.ts'
import { encryptEnvironment } from './encrypt-environment.ts'
import { targetFailure } from './target-failure.ts'
import { type NewVm, type VmmAccess, VmmClient } from './vmm-client.ts'
import type { VmInfo } from './vmm-documents.ts'
import { vmmFailure } from './vmm-failure.ts'
import { guestStateOf } from './vmm-state.ts'

export type DstackVmmOptions = VmmAccess & {
  /** os_image_hash of guest images by their name: the VMM does not tell it, so whoever set it up says it. */
  readonly osImages: ReadonlyMap<string, Sha256>
}

const SIZES = { vcpu: 2, memory: 2048, disk: 20 } as const

/**
 * dstack's VMM on a host of one's own. A guest is made stopped, of the very bytes of the order, and started after the verdict. What the VMM says
 * of a guest is its word: whoever runs it can start what they like, and it is the KMS, and the quote of the guest, that hold them to it.
 */
export class DstackVmm implements DeployTarget {
  readonly kind = 'dstack-vmm'
  readonly needs = ['image'] as const
  readonly #vmm: VmmClient
  readonly #osImages: ReadonlyMap<string, Sha256>

  constructor(o: DstackVmmOptions) {
    this.#vmm = new VmmClient(o)
    this.#osImages = o.osImages
  }

  async offer(ordered: Ordered, signal: AbortSignal): Promise<Offered> {
    const vm = newVm(ordered)
    const hash = digestOf(ordered.appCompose)
    await this.#requireImage(vm.image, signal)
    if ((await this.#vmm.composeHash(vm, signal)).toLowerCase() !== hash) throw vmmFailure('target-compose-hash-differs')
    const appId = vm.app_id ?? hash.slice(0, 40)
    // Before anything is made: what has no key of an app cannot be given secrets.
    const envKey = ordered.envNames.length === 0 ? null : await this.#vmm.envKey(appId, signal)
    const before = await this.#madeBefore(vm, signal)
    const id = before ?? (await this.#vmm.createStopped(vm, signal))
    const info = await this.#vmm.info(id, signal)
    if (info === undefined) throw vmmFailure('target-guest-gone')
    await this.#requireAsTold(info, vm, signal)
    if (info.status !== 'stopped') {
      await this.#removed(id, signal)
      throw vmmFailure('target-started-unasked')
    }
    const osImageHash = this.#osImages.get(vm.image) ?? null
    const offer = {
      composeHash: hash,
      appCompose: hash,
      appId,
      osImageHash,
      deviceId: null,
      envKey,
      handle: { vm: id, made: before === undefined ? 1 : 0 },
    }
    return { offer, appCompose: ordered.appCompose }
  }

  async commit({ ordered, offer, environment }: Parameters<DeployTarget['commit']>[0], signal: AbortSignal): Promise<string> {
    const id = vmOf(offer)
    if (environment !== null && environment.length > 0) {
      if (offer.envKey === null) throw targetFailure('target-environment-key-missing')
      await this.#vmm.setEnvironment(id, encryptEnvironment(environment, offer.envKey), signal)
    }
    // Time has passed since it was made: what is started is what lies there now.
    const info = await this.#vmm.info(id, signal)
    if (info === undefined) throw vmmFailure('target-guest-gone')
    await this.#requireAsTold(info, newVm(ordered), signal)
    await this.#vmm.start(id, signal)
    return id
  }

  async find({ offer }: Parameters<DeployTarget['find']>[0], signal: AbortSignal): Promise<string | undefined> {
    const info = await this.#vmm.info(vmOf(offer), signal)
    return info === undefined || info.status === 'stopped' || info.status === 'removing' ? undefined : info.id
  }

  async state(guest: string, signal: AbortSignal): Promise<GuestState> {
    return guestStateOf(await this.#vmm.info(guest, signal))
  }

  /** The bytes that the VMM says it gave the guest. Nothing is started here whose bytes were not known before. */
  async attested(guest: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const info = await this.#vmm.info(guest, signal)
    return info?.configuration == null ? undefined : Buffer.from(info.configuration.compose_file)
  }

  async stop(guest: string, signal: AbortSignal): Promise<void> {
    await this.#removed(guest, signal)
  }

  /** A guest that lay there may have been made for another order, which has it running by now: that order's policy let it. */
  async withdraw({ offer }: Parameters<DeployTarget['withdraw']>[0], signal: AbortSignal): Promise<void> {
    const info = offer.handle['made'] === 0 ? await this.#vmm.info(vmOf(offer), signal) : undefined
    if (info === undefined || info.status === 'stopped') await this.#removed(vmOf(offer), signal)
  }

  async #requireImage(image: string, signal: AbortSignal): Promise<void> {
    const found = (await this.#vmm.images(signal)).find(({ name }) => name === image)
    if (found === undefined) throw vmmFailure('target-image-unknown')
    if (found.is_dev) throw vmmFailure('target-image-dev')
  }

  /** One that an earlier call made, whose answer was lost. A VMM lets two guests have one name; one that runs is somebody's. */
  async #madeBefore(vm: NewVm, signal: AbortSignal): Promise<string | undefined> {
    for (const { id } of await this.#vmm.named(vm.name, signal)) {
      const info = await this.#vmm.info(id, signal)
      if (info === undefined || info.status === 'removing') continue
      if (info.status !== 'stopped' || !isAsTold(info, vm)) throw targetFailure('target-name-taken')
      return id
    }
    return undefined
  }

  async #requireAsTold(info: VmInfo, vm: NewVm, signal: AbortSignal): Promise<void> {
    if (isAsTold(info, vm)) return
    await this.#removed(info.id, signal)
    throw vmmFailure('target-configuration-differs')
  }

  /** Nothing that is removed here is given time to end well: it is not to run. */
  async #removed(id: string, signal: AbortSignal): Promise<void> {
    const info = await this.#vmm.info(id, signal)
    if (info === undefined || info.status === 'removing') return
    if (info.status !== 'stopped') await unlessRefused(this.#vmm.stop(id, signal))
    await unlessRefused(this.#vmm.remove(id, signal))
    const after = await this.#vmm.info(id, signal)
    if (after !== undefined && after.status !== 'removing') throw targetFailure('target-failing')
  }
}

/** Fails with `target-order-unsupported`, `target-option-missing` and `target-compose-unsendable`. */
function newVm({ order, appCompose }: Ordered): NewVm {
  const { image, vcpu = SIZES.vcpu, memory = SIZES.memory, disk = SIZES.disk, ...others } = order.options
  const unknown = Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (unknown.length > 0) throw targetFailure('target-order-unsupported', { fields: unknown })
  if (image === undefined) throw vmmFailure('target-option-missing', { fields: ['image'] })
  const text = utf8Text(appCompose)
  if (text === undefined) throw vmmFailure('target-compose-unsendable')
  return { name: order.name, image, compose_file: text, vcpu, memory, disk_size: disk, app_id: order.appId }
}

/** Whether a guest is made of what it was to be made of, and runs in a TEE. */
function isAsTold({ name, app_id, configuration: has }: VmInfo, vm: NewVm): boolean {
  if (has === null) return false
  const appId = vm.app_id ?? digestOf(vm.compose_file).slice(0, 40)
  const same = (['name', 'image', 'compose_file', 'vcpu', 'memory', 'disk_size'] as const).every((key) => has[key] === vm[key])
  const bare = has.user_config === '' && has.kms_urls.length === 0 && has.gateway_urls.length === 0
  return same && bare && name === vm.name && app_id === appId && !has.no_tee && has.simulated_tee === null
}

function vmOf({ handle }: Offer): string {
  const { vm } = handle
  if (typeof vm !== 'string') throw new TypeError('an offer of another target')
  return vm
}

/** What is gone by itself cannot be stopped: whether it is gone is looked at afterwards. */
async function unlessRefused(call: Promise<void>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!(error instanceof Failure && error.code === 'target-order-refused')) throw error
  })
}
