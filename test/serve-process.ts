import { mkdirSync, symlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ServingDocument } from '../src/app/service/serving-document.ts'
import { type CliEnd, CliProcess, runCli } from './cli-process.ts'
import { type DatabaseKind, type EmptyDatabase, emptyDatabase } from './stores.ts'

export type ServeOptions = {
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly engine?: string
}

/** A home and a database for `serve`, removed when it is disposed of. */
export class ServePlace implements AsyncDisposable {
  readonly home: string
  readonly #folder: string
  readonly #database: EmptyDatabase

  private constructor(folder: string, database: EmptyDatabase, home = path.join(folder, 'home')) {
    this.home = home
    this.#folder = folder
    this.#database = database
  }

  /** Another coordinator of the same service: with a home of its own, on the same database and the same blobs. */
  beside(name: string): Pick<ServePlace, 'serve' | 'cli'> {
    const home = path.join(this.#folder, name)
    mkdirSync(home, { mode: 0o700 })
    symlinkSync(path.join(this.home, 'blobs'), path.join(home, 'blobs'))
    return new ServePlace(this.#folder, this.#database, home)
  }

  static async make(kind: DatabaseKind): Promise<ServePlace> {
    return new ServePlace(await mkdtemp(path.join(tmpdir(), 'bitwitness-serve-')), await emptyDatabase(kind))
  }

  get environment(): Record<string, string> {
    const { url } = this.#database
    return { BITWITNESS_LISTEN: '127.0.0.1:0', ...(url === null ? {} : { DATABASE_URL: url.reveal() }) }
  }

  /** The service in a process of its own, once it listens. */
  async serve({ args = [], environment = {}, engine = 'unix:///nowhere' }: ServeOptions = {}): Promise<ServeProcess> {
    const options = { home: this.home, engine, environment: { ...this.environment, ...environment } }
    return await ServeProcess.listening(new CliProcess(['serve', '--json', ...args], options))
  }

  /** Another command of this home. */
  async cli(args: readonly string[], environment: Readonly<Record<string, string>> = {}, seconds = 90): Promise<CliEnd> {
    return await runCli(args, { home: this.home, engine: 'unix:///nowhere', environment: { ...this.environment, ...environment }, seconds })
  }

  async token(): Promise<string> {
    return (await this.cli(['token', 'create', 'test'])).stdout.trim()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** A service that listens. Killed when it is disposed of, where it still runs. */
export class ServeProcess implements AsyncDisposable {
  readonly process: CliProcess
  readonly facts: ServingDocument
  readonly url: URL

  private constructor(process: CliProcess, facts: ServingDocument) {
    this.process = process
    this.facts = facts
    this.url = new URL(facts.url)
  }

  static async listening(process: CliProcess): Promise<ServeProcess> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    // Afterwards nobody waits for it any more.
    promise.catch(() => {})
    let said = ''
    process.child.stdout?.on('data', (part: Buffer) => {
      said += part.toString('utf8')
      if (said.endsWith('\n}\n')) resolve(said)
    })
    process.child.once('close', () => reject(new Error(`it did not serve:\n${said}${process.stderr}`)))
    const serving = ServingDocument.safeParse(JSON.parse(await promise))
    if (!serving.success) throw new Error(`it did not serve:\n${said}${process.stderr}`)
    return new ServeProcess(process, serving.data)
  }

  /** The lines of its log. */
  log(): Record<string, unknown>[] {
    return this.process.stderr
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const answer = await fetch(new URL(path, this.url))
    return { status: answer.status, body: await answer.text() }
  }

  /** Ends it by a signal. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<CliEnd> {
    this.process.child.kill(signal)
    return await this.process.ended(90)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.child.exitCode !== null || this.process.child.signalCode !== null) return
    await this.end('SIGKILL')
  }
}
