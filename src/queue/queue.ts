import { type Db, fromPglite, PgBoss } from 'pg-boss'
import { Failure } from '../../verifier/model/failure.ts'
import { MAX_TRIES } from '../app/lifecycle/attempt-state.ts'
import type { QueueFigures } from '../app/service/service-figures.ts'
import { RETRY_DELAY } from '../app/store/retry-delay.ts'
import type { JobKind, Jobs } from '../app/store/store-ports.ts'
import type { Database } from '../db/database.ts'
import { databaseFailure } from '../db/failures.ts'
import { type Executor, translated } from '../db/session.ts'
import { jobsOn } from './jobs.ts'
import { fromPostgresJs } from './postgres-js.ts'
import { queueFigures } from './queue-figures.ts'

/** How long a worker may be unheard of before it has lost its attempt, where nothing else was chosen; in seconds. */
const LEASE_SECONDS = 60
/** How long a coordinator may be unheard of before it has lost a job that it does itself, in seconds; pg-boss allows no less than 10. */
const OWN_HEARTBEAT_SECONDS = 15
/** Ten years: a job that waits is never dropped. */
const FOR_EVER = 315_360_000
/** pg-boss ends what is active for longer; an attempt has its own bound of time long before. */
const LONGEST = 23 * 3600

const waiting = { retentionSeconds: FOR_EVER, deleteAfterSeconds: 7 * 24 * 3600, notify: true }

type QueueSettings = Parameters<PgBoss['createQueue']>[1]

const ATTEMPT: QueueSettings = {
  ...waiting,
  retryLimit: MAX_TRIES - 1,
  retryDelay: 5,
  retryBackoff: true,
  retryDelayMax: 600,
  heartbeatSeconds: LEASE_SECONDS,
  expireInSeconds: LONGEST,
  deadLetter: 'attempt-dead',
}

/** What coordinators do themselves. A coordinator that is killed is missed soon, and nothing is ever given up: an outage may last. */
const OWN: QueueSettings = {
  ...waiting,
  policy: 'exclusive',
  retryLimit: 1_000_000,
  retryDelay: RETRY_DELAY.first,
  retryBackoff: true,
  retryDelayMax: RETRY_DELAY.longest,
  heartbeatSeconds: OWN_HEARTBEAT_SECONDS,
  expireInSeconds: LONGEST,
}

/** `attempt-dead` is where attempts go of which the queue has given up. */
const QUEUES: Readonly<Record<JobKind | 'attempt-dead', QueueSettings>> = {
  'attempt-dead': { ...waiting, retryLimit: 1_000_000, expireInSeconds: 300 },
  'attempt-amd64-trusted': ATTEMPT,
  'attempt-amd64-stranger': ATTEMPT,
  'attempt-arm64-trusted': ATTEMPT,
  'attempt-arm64-stranger': ATTEMPT,
  preparation: OWN,
  decision: OWN,
  signing: OWN,
  summary: OWN,
  callback: OWN,
  deployment: OWN,
  observation: OWN,
}

const JOB_KINDS = Object.keys(QUEUES).filter((name): name is JobKind => name !== 'attempt-dead')

export type QueueOptions = {
  /** Whether this process looks after lost jobs and old ones, every so many seconds; null: not at all. */
  readonly superviseSeconds: number | null
  /** How long a worker may be unheard of before an attempt that is queued here is given to another; 60. At least 10. */
  readonly leaseSeconds?: number
  /** Told of what fails behind our back: a code of ours. */
  readonly onTrouble: (failure: Failure) => void
}

/** The queue, in the same database as everything else. */
export class Queue implements AsyncDisposable {
  readonly #boss: PgBoss
  readonly #db: Db
  readonly #leaseSeconds: number

  private constructor(boss: PgBoss, db: Db, leaseSeconds: number) {
    this.#boss = boss
    this.#db = db
    this.#leaseSeconds = leaseSeconds
  }

  /** Installs or updates the queue's own tables, under a lock of theirs. */
  static async open(
    database: Pick<Database, 'queue' | 'guard'>,
    { superviseSeconds, leaseSeconds = LEASE_SECONDS, onTrouble }: QueueOptions,
  ): Promise<Queue> {
    const connection = database.queue
    const own = connection.kind === 'pglite' ? fromPglite(connection.pglite) : fromPostgresJs(connection)
    const db = outsideTransactions(own, database.guard)
    const boss = new PgBoss({
      db,
      backend: connection.kind,
      schema: 'queue',
      schedule: false,
      registerInstance: false,
      useListenNotify: true,
      openTelemetry: { enabled: false },
      // A queue is looked after no more often than its monitor's interval, whoever asks.
      ...(superviseSeconds === null
        ? { supervise: false, monitorIntervalSeconds: 1 }
        : { superviseIntervalSeconds: superviseSeconds, monitorIntervalSeconds: superviseSeconds }),
    })
    boss.on('error', (error) => onTrouble(databaseFailure(error)))
    try {
      await boss.start()
      for (const [name, options] of Object.entries(QUEUES)) {
        await boss.createQueue(name, options)
        const { policy: _, ...changeable } = options ?? {}
        await boss.updateQueue(name, changeable)
      }
    } catch (error) {
      await boss.stop({ graceful: false, close: false }).catch(() => {})
      throw databaseFailure(error)
    }
    return new Queue(boss, db, leaseSeconds)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#boss.stop({ graceful: false, close: false })
  }

  /** For `DatabaseUnitOfWork`. */
  readonly jobsIn = (tx: Executor): Jobs => jobsOn(this.#boss, tx, this.#leaseSeconds)

  /** How much waits and is being done. */
  async figures(): ReturnType<QueueFigures['figures']> {
    return await translated(() => queueFigures(this.#db, JOB_KINDS))
  }

  /** Finds jobs whose worker is lost and gives them back, or up. Done by itself every `superviseSeconds`. */
  async supervise(): Promise<void> {
    for (const name of Object.keys(QUEUES))
      await this.#boss.supervise(name).catch((error: unknown) => Promise.reject(databaseFailure(error)))
  }
}

/** Inside a transaction a statement of pg-boss's own would miss what it did, and on one connection wait for it for ever. */
function outsideTransactions(db: Db, guard: { readonly inside: boolean }): Db {
  return {
    ...db,
    executeSql: async (text, values) => {
      if (guard.inside)
        throw new Failure({
          code: 'query-outside-transaction',
          message: 'a query went past the open transaction',
          hint: 'this is a defect: report it; use what the unit of work hands out',
          audience: 'operator',
        })
      return await db.executeSql(text, values)
    },
  }
}
