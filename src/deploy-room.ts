import { tokenFromFile } from '../attestations/sign/token-sources.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { Failure } from '../verifier/model/failure.ts'
import type { Secret } from '../verifier/model/secret.ts'
import type { DeployPorts } from './app/deploy/advance-deployment.ts'
import { askLive } from './app/deploy/ask-live.ts'
import type { DeployTarget } from './app/deploy/deploy-target.ts'
import { parseGatewayUrl } from './app/deploy/gateway-url.ts'
import type { GuestDoor } from './app/inspect/inspect-ports.ts'
import type { DeployTargets } from './app/service/deploy-targets.ts'
import type { Settings } from './config/settings.ts'
import { readTargets, type TargetConfig } from './config/targets-file.ts'
import type { VmmPlace } from './config/vmm-address.ts'
import { DstackVmm } from './dstack/dstack-vmm.ts'
import { openGuestDoor } from './dstack/guest-door.ts'
import { PhalaCloud } from './dstack/phala-cloud.ts'

/** Where to deploy to. */
export type TargetChoice =
  | {
      readonly kind: 'dstack-vmm'
      readonly vmm: VmmPlace
      /** os_image_hash of guest images by their names: the VMM does not tell it. */
      readonly osImages: ReadonlyMap<string, Sha256>
    }
  | { readonly kind: 'phala-cloud' }

/** What deploying needs beside the gate. */
export type DeployRoom = Pick<DeployPorts, 'target' | 'live'>

type Needs = Pick<Settings, 'gateways' | 'vmmToken' | 'vmmTokenFile' | 'phalaKey' | 'phalaPrefix'>

/** Fails with `setting-conflict`, `target-key-missing`, and as reading the file of the token does. */
export async function openDeployRoom(settings: Needs, choice: TargetChoice, signal: AbortSignal): Promise<DeployRoom> {
  return { target: await targetOf(settings, choice, signal), live: openLive(settings) }
}

/** Asks what runs at its live URL, through gateways that are listed and nothing else. */
export function openLive({ gateways }: Pick<Settings, 'gateways'>): DeployPorts['live'] {
  const door = openGuestDoor({ gateways })
  return (order, guest, stop) => askLive((url, until) => statusOf(door, url, until), order, guest, stop)
}

/** Of a page; what is longer is no answer. */
const MOST_BYTES = 8 << 20

/** Null also where the gateway is on no list of ours, or the path makes no URL of one: where a target says that an app answers is its word. */
async function statusOf(door: GuestDoor, text: string, signal: AbortSignal): Promise<number | null> {
  try {
    const url = parseGatewayUrl(text)
    return (await door.ask({ url, path: url.path, maxBytes: MOST_BYTES }, signal)).status
  } catch (error) {
    if (error instanceof Failure && (error.code === 'gateway-not-listed' || error.code === 'gateway-url-malformed')) return null
    throw error
  }
}

/** What the operator lets a service deploy to; none where there is no file. Fails as `readTargets` and opening a target do. */
export async function openTargets({ targets: file, phalaPrefix }: Pick<Settings, 'targets' | 'phalaPrefix'>): Promise<DeployTargets> {
  const configs = file === null ? [] : await readTargets(file)
  return new Map(
    configs.map((config) => [config.name, { target: openTarget(config, phalaPrefix), owners: config.owners, policies: config.policies }]),
  )
}

function openTarget(config: TargetConfig, phalaPrefix: URL): DeployTarget {
  if (config.kind === 'phala-cloud') return new PhalaCloud({ prefix: config.url ?? phalaPrefix, key: config.key })
  return new DstackVmm(config)
}

async function targetOf(settings: Needs, choice: TargetChoice, signal: AbortSignal): Promise<DeployTarget> {
  if (choice.kind === 'dstack-vmm')
    return new DstackVmm({ address: choice.vmm, token: await vmmToken(settings, signal), osImages: choice.osImages })
  if (settings.phalaKey === null)
    throw new Failure({
      code: 'target-key-missing',
      message: 'there is no key to show Phala Cloud',
      hint: 'set PHALA_CLOUD_API_KEY to an API key of your account there, or deploy to another target with --target',
    })
  return new PhalaCloud({ prefix: settings.phalaPrefix, key: settings.phalaKey })
}

async function vmmToken({ vmmToken: token, vmmTokenFile: file }: Needs, signal: AbortSignal): Promise<Secret | null> {
  if (token !== null && file !== null)
    throw new Failure({
      code: 'setting-conflict',
      message: 'BITWITNESS_VMM_TOKEN and BITWITNESS_VMM_TOKEN_FILE are both set',
      hint: 'unset one of them',
    })
  return file === null ? token : await tokenFromFile(file)(signal)
}
