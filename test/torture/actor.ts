import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

export type ActorOptions = {
  readonly name: string
  /** Of Node, beginning with its own flags. */
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Everything that it says goes there as well. */
  readonly log: string
  /** One line of stdout or stderr. */
  readonly onLine: (line: string) => void
  /** Whether a line says that it is at work. */
  readonly isUp: (line: string) => boolean
}

/** How it ended although nobody killed it. */
export type OwnEnd = {
  readonly name: string
  readonly up: boolean
  readonly code: number | null
  readonly signal: string | null
  readonly last: string
}

/** A moment before a process that ended by itself is started again, as systemd would. */
const AGAIN_MS = 500

/** A process of the service that is started again whenever it is gone, until it is asked to end. */
export class Actor implements AsyncDisposable {
  readonly name: string
  /** What it did that nobody asked for. */
  readonly ownEnds: OwnEnd[] = []
  readonly #o: ActorOptions
  #child: ChildProcess | undefined
  #gone: Promise<unknown> = Promise.resolve()
  #up = Promise.withResolvers<void>()
  #isUp = false
  #wanted = false

  constructor(o: ActorOptions) {
    this.name = o.name
    this.#o = o
  }

  /** Resolves once it is at work. */
  async start(): Promise<void> {
    this.#wanted = true
    this.#spawn()
    await this.#up.promise
  }

  get up(): Promise<void> {
    return this.#up.promise
  }

  /** Ends it by SIGKILL and starts it again after a while. Resolves when it is started, which is before it is at work. */
  async strike(downMs: number): Promise<void> {
    this.#wanted = false
    this.#child?.kill('SIGKILL')
    await this.#gone
    await delay(downMs)
    this.#wanted = true
    this.#spawn()
  }

  /** Asks it to end; gives its exit code. */
  async end(): Promise<number | null> {
    this.#wanted = false
    const child = this.#child
    child?.kill('SIGTERM')
    await this.#gone
    return child?.exitCode ?? null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wanted = false
    this.#child?.kill('SIGKILL')
    await this.#gone
  }

  #spawn(): void {
    const { args, environment, log } = this.#o
    const inherited = Object.entries(process.env).filter(([name]) => !/^(BITWITNESS_|DATABASE_URL|NODE_OPTIONS$|VITEST)/.test(name))
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...Object.fromEntries(inherited), ...environment },
    })
    this.#child = child
    if (this.#isUp) this.#up = Promise.withResolvers()
    this.#isUp = false
    const kept = createWriteStream(log, { flags: 'a' })
    let last = ''
    const hear = (line: string): void => {
      kept.write(`${line}\n`)
      last = `${last}\n${line}`.slice(-2000)
      if (!this.#isUp && this.#child === child && this.#o.isUp(line)) {
        this.#isUp = true
        this.#up.resolve()
      }
      this.#o.onLine(line)
    }
    for (const stream of [child.stdout, child.stderr]) linesOf(stream, hear)
    this.#gone = once(child, 'close').then(async ([code, signal]) => {
      kept.end()
      if (!this.#wanted || this.#child !== child) return
      this.ownEnds.push({ name: this.name, up: this.#isUp, code: code as number | null, signal: signal as string | null, last })
      void this.#again(child)
    })
  }

  async #again(ended: ChildProcess): Promise<void> {
    await delay(AGAIN_MS)
    if (this.#wanted && this.#child === ended) this.#spawn()
  }
}

function linesOf(stream: Readable, hear: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', hear)
}
