import { copyFile, mkdtemp, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { stringify } from 'yaml'
import type { DeployDocument } from '../src/app/deploy/deploy-document.ts'
import type { Decision } from '../src/app/gate/decision.ts'
import type { Inspection } from '../src/app/inspect/inspection.ts'
import type { SubmissionDocument } from '../src/client/submission-document.ts'
import { type ComposeFile, GatedApp } from './gated-app.ts'
import { policyOf } from './gated-policy.ts'
import { GatewayClient } from './stand-ins/gateway-client.ts'
import { GuestHostStandIn } from './stand-ins/guest-host.ts'
import { KmsClient } from './stand-ins/kms-client.ts'
import { IMAGE } from './stand-ins/vmm-guests.ts'

export const APP_ID = 'ab'.repeat(20)
export const OTHER_APP = 'cd'.repeat(20)
const [OS_IMAGE, DEVICE] = ['d', 'e'].map((digit) => digit.repeat(64)) as [string, string]

type Change = Readonly<Record<string, unknown>>

/** What is asked about, where it is not the app as it was published. */
export type Asked = { readonly file?: ComposeFile; readonly appId?: string; readonly bundle?: string; readonly token?: string }

type Opened = Pick<GateQuestions, 'compose' | 'host' | 'scene'> & {
  readonly roots: Awaited<ReturnType<GuestHostStandIn['writeRoots']>>
  readonly owned: AsyncDisposableStack
}

/** Asks about an app wherever something decides about it: at the gate, before a deployment, by a KMS and a gateway, and once it runs. */
export class GateQuestions implements AsyncDisposable {
  /** Of the published image. */
  readonly compose: ComposeFile
  readonly host: GuestHostStandIn
  readonly scene: GatedApp
  readonly #roots: Opened['roots']
  readonly #owned: AsyncDisposableStack
  /** File of the policy that the command line asks by: that of the service, with the app-compose in it. */
  #policy = ''

  private constructor(o: Opened) {
    this.compose = o.compose
    this.host = o.host
    this.scene = o.scene
    this.#roots = o.roots
    this.#owned = o.owned
  }

  /** With a host that the service may deploy to for `deployer`, and that asks the service. */
  static async open(): Promise<GateQuestions> {
    await using owned = new AsyncDisposableStack()
    const host = owned.use(await GuestHostStandIn.start({ osImageHash: OS_IMAGE, deviceId: DEVICE }))
    const opened = await GatedApp.open(async (folder) => {
      const targets = path.join(folder, 'targets.yaml')
      const rack = {
        name: 'rack',
        kind: 'dstack-vmm',
        address: host.vmm.url.href,
        osImages: { [IMAGE]: OS_IMAGE },
        owners: ['local:deployer'],
        policies: ['production'],
      }
      await writeFile(targets, stringify({ targets: [rack] }))
      const { root, measurements, authority } = await host.writeRoots(folder)
      const observing = { BITWITNESS_SIMULATED_ROOT: root, BITWITNESS_MEASUREMENTS: measurements }
      return { BITWITNESS_TARGETS: targets, BITWITNESS_GATEWAYS: host.gateway.setting, NODE_EXTRA_CA_CERTS: authority, ...observing }
    })
    const scene = owned.use(opened)
    host.ask(new URL('v1/dstack/production/', scene.service.url))
    await scene.push()
    const roots = await host.writeRoots(scene.folder)
    return new GateQuestions({ scene, host, roots, compose: await scene.compose('deployment'), owned: owned.move() })
  }

  get policy(): string {
    return this.#policy
  }

  /** Writes the policy of the service, by what a verification says of builder and indexes, and the one that the command line asks by. */
  async follow(good: SubmissionDocument, change: Change = {}, composes: readonly string[] = [this.compose.hash]): Promise<void> {
    const { app, key } = this.scene
    const name = this.scene.name()
    const apps = (more: Change) => ({ [APP_ID]: { images: [name], admitters: ['local:deployer'], devices: 'any', ...more } })
    const rest = { osImages: { [OS_IMAGE]: { pinned: 'of this test' } }, ...change }
    await this.scene.policy({ ...policyOf({ app, key, name }, good, apps({})), ...rest })
    this.#policy = await this.scene.policy({ ...policyOf({ app, key, name }, good, apps({ composes })), ...rest, name: 'asked' }, 'asked')
  }

  /** What the gate of the command line says: its exit code, and the rules that fail. */
  async gate(o: Asked = {}) {
    const bundles = o.bundle === undefined ? [] : ['--bundle', o.bundle]
    const asked = ['--app-compose', (o.file ?? this.compose).file, '--app-id', o.appId ?? APP_ID, ...bundles]
    const { code, document } = await this.scene.answer<Decision>(['gate', '--policy', this.#policy, ...asked])
    return { code, failed: failed(document) }
  }

  /** Deploys to the stand-in: what came of it, the rules that fail, and what was started and left lying there by it. */
  async deploy(o: Asked = {}, onEnd: (document: DeployDocument) => void = () => {}) {
    const { vmm } = this.host
    const [started, left] = [vmm.everStarted, vmm.present.length]
    const { code, document } = await this.scene.answer<DeployDocument>(await this.deployWords(o), this.#reaching(o.token))
    onEnd(document)
    const decided = document.deployment?.events.findLast(({ kind }) => kind === 'decided')
    return {
      code,
      verdict: document.verdict,
      failed: decided?.kind === 'decided' ? failed(decided.decision) : null,
      started: vmm.everStarted - started,
      left: vmm.present.length - left,
    }
  }

  /** The words of a deployment, which begins anew: how far an earlier one came lies in another folder. */
  async deployWords({ file = this.compose, appId = APP_ID, bundle, token }: Asked = {}): Promise<readonly string[]> {
    const folder = await mkdtemp(path.join(this.scene.folder, 'deploy-'))
    await copyFile(file.file, path.join(folder, 'app-compose.json'))
    const bundles = bundle === undefined ? [] : ['--bundle', bundle]
    const server = token === undefined ? [] : ['--server', this.scene.service.url.href]
    // A name that something runs under already would be a reason of the target's.
    const name = path.basename(folder).toLowerCase()
    return ['deploy', ...this.#ordered({ appCompose: path.join(folder, 'app-compose.json'), appId, name }), ...bundles, ...server]
  }

  /** From the folder that the publisher's build wrote to a guest that runs, by one command of the publisher's. */
  async deployBuild(token: string) {
    const { app, service } = this.scene
    const source = ['--source', `git+file://${app.repository}#${app.commit}`, '--to', this.scene.name(), '--server', service.url.href]
    const ordered = this.#ordered({ appCompose: this.compose.file, appId: APP_ID, name: 'one-command' })
    return await this.scene.answer<DeployDocument>(['deploy', path.dirname(app.image), ...source, ...ordered], this.#reaching(token))
  }

  #ordered({ appCompose, appId, name }: { readonly appCompose: string; readonly appId: string; readonly name: string }): readonly string[] {
    const target = ['--target', 'dstack-vmm', '--vmm', this.host.vmm.url.href, '--image', IMAGE, '--os-image-hash', `sha256:${OS_IMAGE}`]
    const live = ['--app-id', appId, '--name', name, '--port', '3000', '--health', '/health']
    return ['--app-compose', appCompose, '--policy', this.#policy, ...target, ...live]
  }

  /** What the service says to a KMS, and to a gateway, about a guest. */
  async webhooks(change: Change = {}): Promise<{ readonly allowed: boolean; readonly reason: string; readonly gateway: boolean }> {
    const url = new URL('v1/dstack/production', this.scene.service.url).href
    const guest = { appId: APP_ID, composeHash: this.compose.hash, osImageHash: OS_IMAGE, ...change }
    const measured = { deviceId: DEVICE, instanceId: '', mrAggregated: DEVICE, mrSystem: DEVICE, tcbStatus: 'UpToDate', advisoryIds: [] }
    const { isAllowed, reason } = await new KmsClient({ url }).isAppAllowed({ ...measured, ...guest }, false)
    const gateway = await new GatewayClient({ url: `${url}/app-auth` }).isAppAuthorized({
      app_id: guest.appId,
      compose_hash: guest.composeHash,
      instance_id: '',
      device_id: DEVICE,
      mr_system: DEVICE,
      mr_aggregated: DEVICE,
      os_image_hash: guest.osImageHash,
      key_provider_info: '',
      init_script_hashes: null,
    })
    return { allowed: isAllowed, reason, gateway }
  }

  /** Starts a guest at the VMM as somebody does who passes by the gate; gives how its boot ended. */
  async startPastTheGate({ bytes }: ComposeFile, appId: string): Promise<string> {
    const told = { name: 'past', image: IMAGE, compose_file: bytes.toString('utf8'), vcpu: 1, memory: 1024, disk_size: 10, app_id: appId }
    await fetch(new URL('prpc/CreateVm?json', this.host.vmm.url), { method: 'POST', body: JSON.stringify(told) })
    await this.host.vmm.booted()
    const guest = this.host.vmm.guests.at(-1)
    if (guest?.configuration.name !== 'past' || guest.starts !== 1) throw new Error('it was not started')
    return guest.bootError
  }

  /** The guest that runs shows a quote of which a byte is another from now on. */
  flipQuote(): void {
    const guest = this.host.vmm.present.find(({ appId }) => appId === APP_ID)
    if (guest === undefined) throw new Error('nothing runs')
    const { appId, instanceId, configuration } = guest
    const shown = { appId, instanceId, osImageHash: OS_IMAGE, appCompose: configuration.compose_file, mrConfig: 2 } as const
    this.host.gateway.start({ ...shown, faults: new Set(['flipped-quote']) })
  }

  /** What whoever looks at an app sees. */
  async inspect(appId = APP_ID): Promise<{ readonly code: number | null; readonly document: Inspection }> {
    const quote = ['--simulated-root', this.#roots.root, '--measurements', this.#roots.measurements]
    const url = this.host.gateway.url(appId, { port: 3000 })
    return await this.scene.answer(['inspect', url, '--health', '/health', '--policy', this.#policy, ...quote], this.#reaching())
  }

  /** Where guests of the stand-in are reached, as a deployer has it set. */
  #reaching(token = ''): Readonly<Record<string, string>> {
    return { BITWITNESS_GATEWAYS: this.host.gateway.setting, NODE_EXTRA_CA_CERTS: this.#roots.authority, BITWITNESS_TOKEN: token }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }
}

/** Rules that fail, in their order. */
export function failed({ rules }: Decision): readonly string[] {
  return rules.filter(({ result }) => result === 'fail').map(({ rule }) => rule)
}
