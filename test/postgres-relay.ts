import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Secret } from '../verifier/model/secret.ts'
import { freePort } from './postgres-cluster.ts'

/** How long a killed server is away, ms. */
const AWAY_MS = 40

/** Between a client and its PostgreSQL server: kills the server, as far as the client can see, at a chosen moment. */
export class PostgresRelay implements AsyncDisposable {
  readonly #url: URL
  readonly #port: number
  readonly #server: Server
  readonly #clients = new Set<Socket>()
  #answers = Number.POSITIVE_INFINITY
  #kills = 0
  #back: Promise<void> = Promise.resolve()

  private constructor(url: URL, port: number) {
    this.#url = url
    this.#port = port
    this.#server = createServer((client) => this.#pass(client))
  }

  static async open(url: Secret): Promise<PostgresRelay> {
    const relay = new PostgresRelay(new URL(url.reveal()), await freePort())
    await relay.#listen()
    return relay
  }

  /** Of the same database. */
  get url(): Secret {
    const url = new URL(this.#url)
    url.host = `127.0.0.1:${this.#port}`
    return new Secret(url.href)
  }

  get kills(): number {
    return this.#kills
  }

  /**
   * Has the server, once it is there, killed one more time: instead of giving a client the piece of its answers that comes after so many. It
   * is back soon.
   */
  async killAfter(answers: number): Promise<void> {
    await this.#back
    this.#answers = answers
  }

  /** Ends all connections; the server is there. */
  cutOff(): void {
    for (const client of this.#clients) client.destroy()
  }

  /** Ends all connections and takes no new ones. */
  goAway(): void {
    this.#answers = Number.POSITIVE_INFINITY
    this.#server.close()
    this.cutOff()
  }

  async comeBack(): Promise<void> {
    await this.#listen()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#back
    this.cutOff()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  #pass(client: Socket): void {
    const server = connect(Number(this.#url.port), this.#url.hostname)
    this.#clients.add(client)
    const end = (): void => {
      this.#clients.delete(client)
      client.destroy()
      server.destroy()
    }
    for (const one of [client, server]) one.on('error', end).on('close', end)
    client.pipe(server)
    let answers = 0
    server.on('data', (piece: Buffer) => {
      if (answers === this.#answers) this.#kill()
      else client.write(piece)
      answers += 1
    })
  }

  #kill(): void {
    this.#kills += 1
    this.goAway()
    this.#back = delay(AWAY_MS).then(() => this.comeBack())
  }
}
