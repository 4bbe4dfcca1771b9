import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openOperator } from '../../src/operator-room.ts'
import { openWorkerKey } from '../../src/worker-auth/worker-key.ts'
import { Secret } from '../../verifier/model/secret.ts'
import { findPostgres, freePort, type PostgresCluster, startPostgres } from '../postgres-cluster.ts'
import type { Actor } from './actor.ts'
import { growOld } from './day-later.ts'
import type { EventCount } from './event-count.ts'
import type { Kill } from './kill-plan.ts'
import type { Overheard } from './overheard.ts'
import { coordinator, LEASE, worker } from './processes.ts'
import type { Workshop } from './workshop.ts'

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
  readonly workshop: Workshop
}

type Parts = {
  readonly postgres: PostgresCluster | null
  readonly coordinators: readonly Actor[]
  readonly workers: readonly Actor[]
  /** Where each coordinator listens. */
  readonly urls: readonly URL[]
  /** One of each owner. */
  readonly tokens: readonly Secret[]
  readonly home: string
  readonly workerHomes: readonly string[]
}

/** What a process may end with that is started while what it cannot start without is down: it is started again. */
const AWAY = ['database-unreachable', 'engine-unreachable'] as const

/**
 * A service as it runs on many machines: a PostgreSQL server, coordinators and workers, each in processes of their own. Or, where there
 * are no workers, as it runs on one: a coordinator that has the database in its home, and builds as well.
 */
export class Fleet implements AsyncDisposable {
  readonly parts: Parts
  readonly #engine: Workshop['engine']

  private constructor(parts: Parts, engine: Workshop['engine']) {
    this.parts = parts
    this.#engine = engine
  }

  /** Everything is up when this resolves. */
  static async start(o: FleetOptions): Promise<Fleet> {
    await using starting = new AsyncDisposableStack()
    const postgres = o.workers === 0 ? null : starting.use(await startPostgres(await installed()))
    const database = postgres?.url ?? null
    const home = path.join(o.folder, 'home')
    await mkdir(home, { mode: 0o700 })
    const authority = path.join(o.folder, 'authority.pem')
    await writeFile(authority, o.authority)
    const urls: URL[] = []
    for (let number = 0; number < o.coordinators; number += 1) urls.push(new URL(`http://127.0.0.1:${await freePort()}/`))
    const coordinators = urls.map((url, at) =>
      starting.use(coordinator({ ...o, home, url, database, authority, name: `coordinator-${at + 1}` })),
    )
    // The first one makes tables and keys.
    for (const one of coordinators) await one.start()
    const databaseUrl = database === null ? null : new Secret(database)
    await using operator = await openOperator({ home, databaseUrl, databaseUrlFile: null, lease: LEASE })
    const tokens: Secret[] = []
    for (let number = 1; number <= o.owners; number += 1) {
      const made = await operator.createToken({ name: 'torture', owner: `owner-${number}`, scopes: ['submit', 'cancel'], days: 1 })
      tokens.push(new Secret(made.secret))
    }
    const workers: Actor[] = []
    const workerHomes: string[] = []
    for (let at = 0; at < o.workers; at += 1) {
      const name = `worker-${at + 1}`
      const own = path.join(o.folder, name)
      await mkdir(own, { mode: 0o700 })
      await o.workshop.prepare(own)
      await mkdir(path.join(own, 'keys'), { recursive: true, mode: 0o700 })
      await operator.addWorker({ name, publicKey: (await openWorkerKey(path.join(own, 'keys'))).publicKey })
      workerHomes.push(own)
      workers.push(starting.use(worker({ ...o, name, home: own, url: urls[at % urls.length] ?? new URL('http://nowhere') })))
    }
    for (const one of workers) await one.start()
    starting.move()
    return new Fleet({ postgres, coordinators, workers, urls, tokens, home, workerHomes }, o.workshop.engine)
  }

  nameOf({ victim, which }: Kill): string {
    return this.#struckBy({ victim, which })?.name ?? victim
  }

  /** Kills one and starts it again after a while, without waiting until it is at work. */
  async strike(kill: Kill): Promise<void> {
    const one = this.#struckBy(kill)
    if (one !== undefined) return await one.strike(kill.downMs)
    const server = kill.victim === 'docker' ? this.#engine : this.parts.postgres
    await server?.kill()
    await delay(kill.downMs)
    await server?.start()
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
    for (const home of [this.parts.home, ...this.parts.workerHomes]) await growOld(home)
    for (const one of this.actors) await one.start()
    await endAll()
    for (const { ownEnds } of this.actors)
      for (const { name, up, code, signal, last } of ownEnds)
        if (up || !AWAY.some((code) => last.includes(code))) found.push(`${name} ended by itself, ${code ?? signal}: ${last}`)
    return found
  }

  #struckBy({ victim, which }: Pick<Kill, 'victim' | 'which'>): Actor | undefined {
    if (victim === 'postgres' || victim === 'docker') return undefined
    const some = victim === 'coordinator' ? this.parts.coordinators : this.parts.workers
    return some[which % some.length]
  }

  get actors(): readonly Actor[] {
    return [...this.parts.coordinators, ...this.parts.workers]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.actors.map((one) => one[Symbol.asyncDispose]()))
    await this.parts.postgres?.[Symbol.asyncDispose]()
  }
}

async function installed(): Promise<string> {
  const programs = await findPostgres()
  if (programs !== undefined) return programs
  throw new Error('no PostgreSQL server is installed')
}
