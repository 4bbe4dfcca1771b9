import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { DstackVmmStandIn } from './dstack-vmm.ts'
import { type GatewayAppInfo, GatewayClient } from './gateway-client.ts'
import { type StandInGateway, standInMeasurement, startStandInGateway } from './guest-agent.ts'
import { type Guest, sha256 } from './vmm-guests.ts'

export type GuestHostOptions = {
  /** 64 digits: what its guests boot. */
  readonly osImageHash: string
  /** 64 digits: the machine. */
  readonly deviceId: string
}

/** Nothing listens on the discard port. */
const NOBODY = new URL('http://127.0.0.1:9/')

/**
 * Stands in for a host of dstack's: a VMM whose guests ask a KMS for their keys, and a gateway that asks as well before it leads to them. There is no
 * TEE in any of it, and what its quotes say is signed by a key that stands in for Intel's: whoever looks at them is told `simulated`.
 */
export class GuestHostStandIn implements AsyncDisposable {
  readonly vmm: DstackVmmStandIn
  readonly gateway: StandInGateway
  readonly #osImageHash: string

  private constructor(o: { readonly vmm: DstackVmmStandIn; readonly gateway: StandInGateway; readonly osImageHash: string }) {
    this.vmm = o.vmm
    this.gateway = o.gateway
    this.#osImageHash = o.osImageHash
  }

  /** Nobody gets keys or traffic before it is told whom to ask. */
  static async start({ osImageHash, deviceId }: GuestHostOptions): Promise<GuestHostStandIn> {
    const gateway = await startStandInGateway()
    const says = { osImageHash, deviceId, mrAggregated: deviceId, mrSystem: deviceId, tcbStatus: 'UpToDate', advisoryIds: [] }
    const vmm = await DstackVmmStandIn.start({
      gateway: gateway.base,
      kms: { webhook: NOBODY, says },
      async onBoot(guest) {
        const { appId, instanceId, bootError, configuration } = guest
        const asks = new GatewayClient({ url: new URL('app-auth', vmm.kms?.webhook ?? NOBODY).href })
        // Who gets no keys never comes to ask the gateway.
        if (bootError !== '' || !(await asks.isAppAuthorized(registered(guest, says)))) return
        gateway.start({ appId, instanceId, osImageHash, appCompose: configuration.compose_file, mrConfig: 2 })
      },
    })
    return new GuestHostStandIn({ vmm, gateway, osImageHash })
  }

  /** `webhook`: of a policy, as kms.toml has it, with a slash at its end. */
  ask(webhook: URL): void {
    this.vmm.kms = { webhook, says: this.vmm.kms?.says ?? {} }
  }

  /** Writes what `inspect` takes in place of Intel's root and of what dstack measures, and the authority of the gateway; gives the files. */
  async writeRoots(folder: string): Promise<{ readonly root: string; readonly measurements: string; readonly authority: string }> {
    const at = (name: string): string => path.join(folder, name)
    const files = { root: at('simulated-root.pem'), measurements: at('measurements.json'), authority: at('gateway-authority.pem') }
    await writeFile(files.root, this.gateway.root)
    await writeFile(files.measurements, JSON.stringify(standInMeasurement(this.#osImageHash)))
    await writeFile(files.authority, this.gateway.authority)
    return files
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vmm[Symbol.asyncDispose]()
    await this.gateway[Symbol.asyncDispose]()
  }
}

type Said = { readonly osImageHash: string; readonly deviceId: string; readonly mrAggregated: string; readonly mrSystem: string }

/** As a guest registers at the gateway. */
function registered({ appId, instanceId, configuration }: Guest, says: Said): GatewayAppInfo {
  return {
    app_id: appId,
    compose_hash: sha256(configuration.compose_file),
    instance_id: instanceId,
    device_id: says.deviceId,
    mr_system: says.mrSystem,
    mr_aggregated: says.mrAggregated,
    os_image_hash: says.osImageHash,
    key_provider_info: '',
    init_script_hashes: null,
  }
}
