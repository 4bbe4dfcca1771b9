import { generateKeyPairSync } from 'node:crypto'
import type { Worker } from '../src/app/store/records.ts'
import { httpApp } from '../src/http/app.ts'
import { DEFAULT_LIMITS, type HttpLimits, type HttpPorts } from '../src/http/http-ports.ts'
import { answerUnreadable } from '../src/http/unreadable-request.ts'
import { workerRoutes } from '../src/http/worker-routes.ts'
import { Listening } from '../src/listening.ts'
import { HttpCoordinator } from '../src/worker/http-coordinator.ts'
import { NonceMemory } from '../src/worker-auth/nonce-memory.ts'
import { WorkerKey } from '../src/worker-auth/worker-key.ts'
import { addWorker } from './stored.ts'
import type { WorkerRoom } from './worker-room.ts'

export type KnownWorker = { readonly worker: Worker; readonly key: WorkerKey; readonly coordinator: HttpCoordinator; readonly pem: string }

/** A coordinator that workers reach on a port of this machine, as one that runs would be. */
export class WorkerServer implements AsyncDisposable {
  readonly room: WorkerRoom
  readonly seen: Seen
  #listening: Listening
  readonly port: number

  private constructor(room: WorkerRoom, seen: Seen, listening: Listening) {
    this.room = room
    this.seen = seen
    this.#listening = listening
    this.port = Number(listening.url.port)
  }

  static async open(room: WorkerRoom, limits: Partial<HttpLimits> = {}): Promise<WorkerServer> {
    const seen: Seen = { limits: { ...DEFAULT_LIMITS, ...limits }, troubles: [], answers: [] }
    return new WorkerServer(room, seen, await listen(room, seen, 0))
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.port}/`)
  }

  /** As if the process were killed: whoever is connected is cut off, and nobody listens. */
  async stop(): Promise<void> {
    await this.#listening.close(0)
  }

  async startAgain(): Promise<void> {
    this.#listening = await listen(this.room, this.seen, this.port)
  }

  async addWorker(name: string, change: Partial<Worker> = {}): Promise<KnownWorker> {
    const { privateKey } = generateKeyPairSync('ed25519')
    const key = new WorkerKey(privateKey)
    const worker = await addWorker(this.room.store, name, this.room.ports.now(), { publicKey: key.publicKey, ...change })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    return { worker, key, coordinator: this.coordinator(key), pem }
  }

  coordinator(key: WorkerKey): HttpCoordinator {
    return new HttpCoordinator({ origin: this.url, key, version: '0.0.0', patience: { firstMs: 5, mostMs: 20 } })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

type Seen = {
  readonly limits: HttpLimits
  /** What operators were told. */
  readonly troubles: unknown[]
  /** Every byte that was answered, heads and bodies. */
  readonly answers: Promise<string>[]
}

async function listen(room: WorkerRoom, { limits, troubles, answers }: Seen, port: number): Promise<Listening> {
  const onTrouble: HttpPorts['onTrouble'] = (trouble) => troubles.push(trouble)
  const nobody = (): never => {
    throw new Error('not of these tests')
  }
  const ports: HttpPorts = {
    ...room.ports,
    authenticate: nobody,
    followers: { follow: nobody },
    webhookSecret: nobody,
    policies: { see: nobody, names: nobody },
    openGate: { decide: nobody },
    impacts: { find: nobody },
    targets: new Map(),
    deploymentsPerOwner: 0,
    allowlists: { find: nobody },
    submissions: {
      access: { files: false, localRepositories: false, plainHttp: false, privateHosts: false },
      openPerOwner: 1,
      idempotencyHours: 1,
    },
    uploads: { bytes: 1, bytesPerDay: 1, bytesHeld: 1, countPerDay: 1, atOnce: 1, hours: 1 },
    limits,
    errorsPage: nobody,
    version: '0.0.0',
    onTrouble,
    onAnswer: () => {},
  }
  const nonces = new NonceMemory({ since: 0 })
  const app = httpApp(ports, workerRoutes({ ...room.ports, limits, onTrouble, nonces }))
  return await Listening.open({
    fetch: async (request, env) => {
      const response = await app.fetch(request, env)
      answers.push(textOf(response.clone()))
      return response
    },
    unreadable: () => answerUnreadable(app),
    host: '127.0.0.1',
    port,
    requestMs: 60_000,
    onError: (error) => troubles.push(error),
  })
}

async function textOf(response: Response): Promise<string> {
  const bytes = Buffer.from(await response.arrayBuffer().catch(() => new ArrayBuffer(0)))
  return `${response.status} ${JSON.stringify([...response.headers])} ${bytes.toString('latin1')}`
}
