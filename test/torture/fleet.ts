import { generateKeyPairSync } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { WorkerPublicKey } from '../../src/app/service/worker-public-key.ts'
import { openOperator } from '../../src/operator-room.ts'
import { WorkerKey } from '../../src/worker-auth/worker-key.ts'
import { Secret } from '../../verifier/model/secret.ts'
import { findPostgres, freePort, type PostgresCluster, startPostgres } from '../postgres-cluster.ts'
import { root } from '../repository.ts'
import { Actor } from './actor.ts'
import type { EventCount } from './event-count.ts'
import type { Kill } from './kill-plan.ts'
import type { Overheard } from './overheard.ts'

export type FleetOptions = {
  /** With a short name: sockets lie below it. */
  readonly folder: string
  readonly coordinators: number
  readonly workers: number
  readonly owners: number
  readonly events: EventCount
  readonly overheard: Overheard
  /** PEM of who signed the receiver of callbacks. */
  readonly authority: string
}

/** Seconds: the shortest that may be chosen, so that what was lost is tried again soon. */
export const LEASE = 10

/** A service as it runs on many machines: a PostgreSQL server, coordinators and workers, each in processes of their own. */
export class Fleet implements AsyncDisposable {
  readonly postgres: PostgresCluster
  readonly coordinators: readonly Actor[]
  readonly workers: readonly Actor[]
  /** Where each coordinator listens. */
  readonly urls: readonly URL[]
  /** One of each owner. */
  readonly tokens: readonly Secret[]
  readonly home: string
  readonly workerHomes: readonly string[]

  private constructor(o: Pick<Fleet, 'postgres' | 'coordinators' | 'workers' | 'urls' | 'tokens' | 'home' | 'workerHomes'>) {
    this.postgres = o.postgres
    this.coordinators = o.coordinators
    this.workers = o.workers
    this.urls = o.urls
    this.tokens = o.tokens
    this.home = o.home
    this.workerHomes = o.workerHomes
  }

  /** Everything is up when this resolves. */
  static async start(o: FleetOptions): Promise<Fleet> {
    await using starting = new AsyncDisposableStack()
    const programs = await findPostgres()
    if (programs === undefined) throw new Error('no PostgreSQL server is installed')
    const postgres = starting.use(await startPostgres(programs))
    const home = path.join(o.folder, 'home')
    await mkdir(home, { mode: 0o700 })
    const authority = path.join(o.folder, 'authority.pem')
    await writeFile(authority, o.authority)
    const environment = { ...COORDINATOR, BITWITNESS_HOME: home, DATABASE_URL: postgres.url, NODE_EXTRA_CA_CERTS: authority }
    const urls: URL[] = []
    for (let number = 0; number < o.coordinators; number += 1) urls.push(new URL(`http://127.0.0.1:${await freePort()}/`))
    const coordinators = urls.map((url, index) => starting.use(coordinator(o, { environment, url, name: `coordinator-${index + 1}` })))
    // The first one makes tables and keys.
    for (const one of coordinators) await one.start()
    await using operator = await openOperator({ home, databaseUrl: new Secret(postgres.url), databaseUrlFile: null, lease: LEASE })
    const tokens: Secret[] = []
    for (let number = 1; number <= o.owners; number += 1)
      tokens.push(
        new Secret(
          (await operator.createToken({ name: 'torture', owner: `owner-${number}`, scopes: ['submit', 'cancel'], days: 1 })).secret,
        ),
      )
    const workers: Actor[] = []
    const workerHomes: string[] = []
    for (let index = 0; index < o.workers; index += 1) {
      const name = `worker-${index + 1}`
      const own = path.join(o.folder, name)
      const { privateKey } = generateKeyPairSync('ed25519')
      await mkdir(own, { mode: 0o700 })
      await writeFile(path.join(own, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
      await operator.addWorker({ name, publicKey: WorkerPublicKey.parse(new WorkerKey(privateKey).publicKey) })
      workerHomes.push(own)
      workers.push(starting.use(worker(o, { name, home: own, url: urls[index % urls.length] ?? new URL('http://nowhere') })))
    }
    for (const one of workers) await one.start()
    starting.move()
    return new Fleet({ postgres, coordinators, workers, urls, tokens, home, workerHomes })
  }

  nameOf({ victim, which }: Kill): string {
    return this.#struckBy({ victim, which })?.name ?? victim
  }

  /** Kills one and starts it again after a while, without waiting until it is at work. */
  async strike(kill: Kill): Promise<void> {
    const one = this.#struckBy(kill)
    if (one !== undefined) return await one.strike(kill.downMs)
    await this.postgres.kill()
    await delay(kill.downMs)
    await this.postgres.start()
  }

  /**
   * Ends all processes but the database in order, starts each once more, so that it clears what killed ones left, and ends it again. Says
   * what went wrong.
   */
  async settle(): Promise<readonly string[]> {
    const found: string[] = []
    const endAll = async (): Promise<void> => {
      for (const one of this.actors) {
        await one.up
        const code = await one.end()
        if (code !== 0) found.push(`${one.name} ends with ${code}`)
      }
    }
    await endAll()
    for (const one of this.actors) await one.start()
    await endAll()
    for (const { ownEnds } of this.actors)
      for (const { name, up, code, signal, last } of ownEnds)
        if (up || !last.includes('database-unreachable')) found.push(`${name} ended by itself, ${code ?? signal}: ${last}`)
    return found
  }

  #struckBy({ victim, which }: Pick<Kill, 'victim' | 'which'>): Actor | undefined {
    if (victim === 'postgres') return undefined
    const some = victim === 'coordinator' ? this.coordinators : this.workers
    return some[which % some.length]
  }

  get actors(): readonly Actor[] {
    return [...this.coordinators, ...this.workers]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.actors.map((one) => one[Symbol.asyncDispose]()))
    await this.postgres[Symbol.asyncDispose]()
  }
}

const COORDINATOR = { BITWITNESS_LEASE: String(LEASE), BITWITNESS_GRACE: '20', BITWITNESS_MIN_FREE: '1M', DOCKER_HOST: 'unix:///nowhere' }

function coordinator(o: FleetOptions, { environment, url, name }: { environment: Record<string, string>; url: URL; name: string }): Actor {
  const preload = ['--import', path.join(root, 'test/torture/let-loopback.ts')]
  return new Actor({
    name,
    args: [...preload, path.join(root, 'src/bin/main.ts'), 'serve', '--no-worker'],
    environment: { ...environment, BITWITNESS_LISTEN: url.host, BITWITNESS_PUBLIC_URL: url.href },
    log: path.join(o.folder, `${name}.log`),
    isUp: (line) => line.includes('"msg":"service started"'),
    onLine: (line) => o.overheard.coordinator(name, line),
  })
}

function worker(o: FleetOptions, { name, home, url }: { name: string; home: string; url: URL }): Actor {
  return new Actor({
    name,
    args: [path.join(root, 'test/worker-child.ts'), url.href, home, path.join(home, 'key.pem'), '20000'],
    environment: {},
    log: path.join(o.folder, `${name}.log`),
    isUp: (line) => line.startsWith('{"kind":"up"'),
    onLine: (line) => o.overheard.worker(name, line),
  })
}
