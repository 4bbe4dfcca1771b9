import { stringify } from 'yaml'
import { ScriptedTarget, type TargetScript } from '../src/app/deploy/testing/scripted-target.ts'
import { APP_COMPOSE, APP_ID, COMPOSE_HASH, digest } from '../src/app/gate/testing/passing.ts'
import type { DeploymentPorts } from '../src/app/service/deployment-work.ts'
import { ask, HttpService } from './http-service.ts'
import { rebuiltImage, SERVICE_POLICY } from './rebuilt-image.ts'
import type { DatabaseKind } from './stores.ts'

/** Of the guest image that the policy takes. */
export const OS_IMAGE = digest('d')

/** A service that had the image of an app rebuilt for alice, who may deploy it to `here`. */
export class DeployingService {
  readonly http: HttpService
  #target = new ScriptedTarget()

  private constructor(http: HttpService) {
    this.http = http
  }

  static async open(kind: DatabaseKind): Promise<DeployingService> {
    const http = await HttpService.open({ kind })
    await http.caller('alice', { scopes: ['submit', 'admit', 'deploy'] })
    await http.caller('mallory', { scopes: ['submit', 'admit', 'deploy'] })
    await http.caller('submitter')
    http.policyFiles.set('production', stringify(SERVICE_POLICY))
    await rebuiltImage(http, 'alice')
    const made = new DeployingService(http)
    made.play()
    await made.upload()
    return made
  }

  /** Puts another target in the place of `here`. */
  play(script: TargetScript = {}, { policies = ['production'] }: { readonly policies?: readonly string[] } = {}): ScriptedTarget {
    this.#target = new ScriptedTarget({ appId: APP_ID, osImageHash: OS_IMAGE, ...script })
    this.http.targets.set('here', { target: this.#target, owners: ['local:alice'], policies })
    return this.#target
  }

  async upload(bytes = APP_COMPOSE, token = 'alice'): Promise<void> {
    const headers = { 'content-type': 'application/octet-stream' }
    const { status } = await ask(this.http.app(), '/v1/uploads', { method: 'POST', token, headers, body: bytes })
    if (status !== 201) throw new Error(`the upload was answered ${status}`)
  }

  ports(): DeploymentPorts {
    const { gatePorts, ports, blobs, store, targets } = this.http
    return {
      ...ports,
      ...gatePorts,
      reads: store.reads,
      blobs,
      targets,
      live: async () => await Promise.resolve({ url: 'https://live.example/', answers: [{ path: '/', status: 200 }] }),
    }
  }
}

/** What a caller sends to have the app deployed. */
export const orderOf = (change: object = {}, order: object = {}): object => ({
  kind: 'ordered',
  target: 'here',
  policy: 'production',
  order: { name: 'app-one', appCompose: COMPOSE_HASH, ...order },
  admit: true,
  ...change,
})

export const ANNOUNCED = {
  kind: 'announced',
  name: 'app-two',
  app: APP_ID,
  composeHash: COMPOSE_HASH,
  url: `https://${APP_ID}-8080.gateway.example`,
}
