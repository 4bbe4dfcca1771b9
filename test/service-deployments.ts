import { setTimeout as delay } from 'node:timers/promises'
import type { Inspection } from '../src/app/inspect/inspection.ts'
import type { DeploymentAnswer, ObservationView } from '../src/app/service/deployment-documents.ts'
import { APP_ID, failed } from './gate-questions.ts'
import type { ComposeFile } from './gated-app.ts'
import type { ServeProcess } from './serve-process.ts'
import type { GuestHostStandIn } from './stand-ins/guest-host.ts'
import { IMAGE } from './stand-ins/vmm-guests.ts'

/** Has a service deploy to a stand-in, and asks it what it sees of that. */
export class ServiceDeployments {
  readonly #service: ServeProcess
  readonly #host: GuestHostStandIn

  constructor(service: ServeProcess, host: GuestHostStandIn) {
    this.#service = service
    this.#host = host
  }

  /** Has the service deploy: how that ended, the rules that fail, and what was started and left lying there by it. */
  async order({ hash }: ComposeFile, name: string, token: string) {
    const { vmm } = this.#host
    const [started, left] = [vmm.everStarted, vmm.present.length]
    const order = { name, appCompose: hash, appId: APP_ID, live: { port: 3000, healthPath: '/health' }, options: { image: IMAGE } }
    const ordered = await this.#post({ kind: 'ordered', target: 'rack', policy: 'production', order }, token)
    const { id } = (await ordered.json()) as { id?: string }
    const { state, deployment } = id === undefined ? { state: null, deployment: null } : await this.#ended(id)
    const decided = deployment?.events.findLast(({ kind }) => kind === 'decided')
    return {
      status: ordered.status,
      state,
      failed: decided?.kind === 'decided' ? failed(decided.decision) : null,
      started: vmm.everStarted - started,
      left: vmm.present.length - left,
    }
  }

  /** Tells the service of the guest that runs, which it looks at. */
  async announce({ hash: composeHash }: ComposeFile, name: string, token: string): Promise<number> {
    const url = this.#host.gateway.url(APP_ID, { port: 3000 })
    return (await this.#post({ kind: 'announced', name, app: APP_ID, composeHash, url }, token)).status
  }

  /** The newest that the service has seen of the app, once it has the verdict. */
  async observed(verdict: Inspection['verdict']): Promise<ObservationView> {
    for (;;) {
      const { items } = JSON.parse((await this.#service.get(`v1/apps/${APP_ID}/observations`)).body) as { items: ObservationView[] }
      if (items[0]?.verdict === verdict) return items[0]
      await delay(200)
    }
  }

  async #post(body: object, token: string): Promise<Response> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    return await fetch(new URL('v1/deployments', this.#service.url), { method: 'POST', headers, body: JSON.stringify(body) })
  }

  async #ended(id: string): Promise<DeploymentAnswer> {
    for (;;) {
      const answer = JSON.parse((await this.#service.get(`v1/deployments/${id}`)).body) as DeploymentAnswer
      if (answer.state === 'running' || answer.state === 'denied' || answer.state === 'failed') return answer
      await delay(200)
    }
  }
}
