import { Failure } from '../../verifier/model/failure.ts'
import type { Notices } from '../app/store/notice-ports.ts'
import type { Jobs, Unit, UnitOfWork } from '../app/store/store-ports.ts'
import type { Database } from './database.ts'
import { databaseFailure } from './failures.ts'
import { forEver } from './lost-transactions.ts'
import { sendNotice } from './notices.ts'
import { repositories } from './repositories.ts'
import { type Executor, type Session, transactionSession } from './session.ts'

/** How often a transaction that the database chose another one over is begun. */
const RUNS = 5

/** The queue, bound to a transaction. */
export type JobsOf = (tx: Executor) => Jobs

const noticesOf = (session: Session): Notices => ({ send: (channel, about) => session((db) => sendNotice(db, channel, about)) })

export class DatabaseUnitOfWork implements UnitOfWork {
  readonly #database: Database
  readonly #jobsOf: JobsOf

  constructor(database: Database, jobsOf: JobsOf) {
    this.#database = database
    this.#jobsOf = jobsOf
  }

  async run<T>(work: (unit: Unit) => Promise<T>): Promise<T> {
    if (this.#database.guard.inside)
      throw new Failure({
        code: 'transaction-nested',
        message: 'a transaction was to begin inside of another',
        hint: 'this is a defect: report it; hand the open unit of work on',
        audience: 'operator',
      })
    for (let run = 1; ; run += 1) {
      try {
        return await this.#once(work)
      } catch (error) {
        if (!(error instanceof Failure && error.code === 'database-collision') || run === RUNS) throw error
      }
    }
  }

  async #once<T>(work: (unit: Unit) => Promise<T>): Promise<T> {
    // What `work` threw comes out as it was; what the driver throws around it does not.
    let thrown: { readonly error: unknown } | undefined
    let end = (): void => {}
    let over = false
    try {
      return await this.#database.drizzle.transaction(async (tx) => {
        const inner = transactionSession(tx)
        const { session, executor } = inner
        end = inner.end
        try {
          const unit = { ...repositories(session), jobs: this.#jobsOf(executor), notices: noticesOf(session) }
          const result = await this.#database.guard.enter(() => work(unit))
          if (over) await forEver()
          return result
        } catch (error) {
          thrown = { error }
          if (over || inner.lost) await forEver()
          throw error
        } finally {
          end()
        }
      })
    } catch (error) {
      if (thrown !== undefined) throw thrown.error
      throw databaseFailure(error)
    } finally {
      over = true
      end()
    }
  }
}
