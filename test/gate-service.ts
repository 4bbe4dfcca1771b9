import { stringify } from 'yaml'
import { APP_COMPOSE, APP_ID, BOOT, COMPOSE_HASH, digest } from '../src/app/gate/testing/passing.ts'
import { GateDesk } from '../src/app/service/gate-desk.ts'
import { httpApp } from '../src/http/app.ts'
import { dstackRoutes } from '../src/http/dstack-routes.ts'
import type { HttpApp } from '../src/http/http-ports.ts'
import { answerUnreadable } from '../src/http/unreadable-request.ts'
import { Listening } from '../src/listening.ts'
import { ask, HttpService } from './http-service.ts'
import { rebuiltImage, SERVICE_POLICY } from './rebuilt-image.ts'

/** What a KMS may be, under the policy `production`. */
export const KMS_BOOT = { ...BOOT, mrAggregated: digest('7'), appId: 'cd'.repeat(20), composeHash: digest('6') }

/** What a gateway posts of the guest of which a KMS posts `BOOT`. */
export const GATEWAY_APP = {
  app_id: APP_ID,
  compose_hash: COMPOSE_HASH,
  instance_id: '',
  device_id: BOOT.deviceId,
  mr_system: BOOT.mrSystem,
  mr_aggregated: BOOT.mrAggregated,
  os_image_hash: BOOT.osImageHash,
  key_provider_info: '',
  init_script_hashes: null,
}

/** A service that listens, and allows the guest of `BOOT` under the policy `production`: an app that was admitted, of an image that was rebuilt. */
export class GateService implements AsyncDisposable {
  readonly service: HttpService
  readonly app: HttpApp
  readonly desk: GateDesk
  readonly #listening: Listening
  readonly #held: AsyncDisposableStack

  private constructor(o: { service: HttpService; app: HttpApp; desk: GateDesk; listening: Listening; held: AsyncDisposableStack }) {
    this.service = o.service
    this.app = o.app
    this.desk = o.desk
    this.#listening = o.listening
    this.#held = o.held
  }

  static async open(): Promise<GateService> {
    await using opening = new AsyncDisposableStack()
    const service = opening.use(await HttpService.open())
    await service.caller('alice', { scopes: ['submit', 'cancel', 'admit'] })
    const ports = service.httpPorts()
    const desk = new GateDesk({ ...service.gatePorts, unitOfWork: service.store.unitOfWork })
    const app = httpApp(ports, dstackRoutes({ desk, limits: ports.limits, base: () => new URL('https://rebuild.example/') }))
    const listening = await Listening.open({
      host: '127.0.0.1',
      port: 0,
      fetch: (request, env) => app.fetch(request, env),
      unreadable: () => answerUnreadable(app),
      requestMs: 60_000,
      onError: (error) => void service.troubles.push(error),
    })
    opening.defer(() => listening.close(0))
    const gate = new GateService({ service, app, desk, listening, held: opening.move() })
    gate.put('production', {})
    const headers = { 'content-type': 'application/octet-stream' }
    await ask(app, `/v1/apps/${APP_ID}/composes/${COMPOSE_HASH}`, { method: 'PUT', token: 'alice', headers, body: APP_COMPOSE })
    await rebuiltImage(service, 'alice')
    return gate
  }

  /** Of a policy, without a slash at its end, as kms.toml would have it. */
  url(policy = 'production'): string {
    return new URL(`v1/dstack/${policy}`, this.#listening.url).href
  }

  /** Writes the file of a policy: what allows the guests, with a change. */
  put(name: string, change: object): void {
    const kms = { mrAggregated: [KMS_BOOT.mrAggregated], osImages: [KMS_BOOT.osImageHash], devices: 'any' }
    const policy = { ...SERVICE_POLICY, name, kms, gatewayAppId: 'ef'.repeat(20), ...change }
    // A policy has no aliases.
    this.service.policyFiles.set(name, stringify(policy, { aliasDuplicateObjects: false }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync()
  }
}
