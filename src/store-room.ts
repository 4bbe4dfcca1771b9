import path from 'node:path'
import type { Failure } from '../verifier/model/failure.ts'
import type { Secret } from '../verifier/model/secret.ts'
import type { NoticeBoard } from './app/store/notice-ports.ts'
import type { Reads, UnitOfWork } from './app/store/store-ports.ts'
import { findPackage } from './config/package-root.ts'
import { type Database, openDatabase } from './db/database.ts'
import { noticeBoard } from './db/notices.ts'
import { readsOf } from './db/repositories.ts'
import { DatabaseUnitOfWork } from './db/unit-of-work.ts'
import { Queue } from './queue/queue.ts'
import { lockForProcess } from './storage/process-lock.ts'

export type StoreSettings = {
  /** A PostgreSQL server; null: an embedded database in `folder`, for this process alone. */
  readonly url: Secret | null
  readonly folder: string
  /** How often this process looks for lost jobs; null: it does not. */
  readonly superviseSeconds: number | null
  /** How long a worker may be unheard of, as QueueOptions has it. */
  readonly leaseSeconds?: number
  readonly onTrouble: (failure: Failure) => void
}

/** Database and queue, open and up to date. */
export class StoreRoom implements AsyncDisposable {
  readonly database: Database
  readonly reads: Reads
  readonly unitOfWork: UnitOfWork
  readonly queue: Queue
  readonly notices: NoticeBoard
  readonly #held: AsyncDisposableStack

  private constructor(o: { database: Database; reads: Reads; unitOfWork: UnitOfWork; queue: Queue; held: AsyncDisposableStack }) {
    this.database = o.database
    this.reads = o.reads
    this.unitOfWork = o.unitOfWork
    this.queue = o.queue
    this.notices = noticeBoard(o.database.queue)
    this.#held = o.held
  }

  /** Fails with `home-in-use`, `database-unreachable` or `database-failed`. */
  static async open({ url, folder, ...queueing }: StoreSettings): Promise<StoreRoom> {
    await using opening = new AsyncDisposableStack()
    if (url === null) opening.use(await lockForProcess(`${folder}.lock`))
    const database = opening.use(await openDatabase({ url, folder, migrations: path.join(findPackage().root, 'drizzle') }))
    const queue = opening.use(await Queue.open(database, queueing))
    const unitOfWork = new DatabaseUnitOfWork(database, queue.jobsIn)
    return new StoreRoom({ database, reads: readsOf(database), unitOfWork, queue, held: opening.move() })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync()
  }
}
