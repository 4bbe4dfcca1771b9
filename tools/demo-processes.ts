import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import path from 'node:path'
import { DemoFailed } from './demo-files.ts'

const launcher = path.join(import.meta.dirname, '..', 'src', 'bin', 'bitwitness.js')
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export type Environment = Readonly<Record<string, string>>

/**
 * The processes of the demonstration, of which none is left when it ends, by itself or by a signal. Each is in a group of its own: Ctrl-C
 * reaches the demonstration alone, which asks each of them once, since the second time would end them before they have cleaned up.
 */
export class DemoProcesses implements AsyncDisposable {
  readonly #running = new Map<ChildProcess, Promise<number | null>>()
  readonly #asked = new Set<ChildProcess>()
  #stoppedBy: NodeJS.Signals | undefined

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const again = this.#stoppedBy !== undefined
    this.#stoppedBy ??= signal
    console.error(again ? '\ndemo: ended at once' : '\ndemo: stopping; once more ends it at once and may leave a container behind')
    for (const child of this.#running.keys()) {
      if (again) child.kill('SIGKILL')
      else this.end(child)
    }
  }

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#onSignal)
  }

  /** The signal that somebody ended it by. */
  get stoppedBy(): NodeJS.Signals | undefined {
    return this.#stoppedBy
  }

  /** Starts the command line as a user would. */
  start(args: readonly string[], o: { readonly stdio: SpawnOptions['stdio']; readonly environment: Environment }): ChildProcess {
    this.#goOn()
    const env = { ...process.env, ...o.environment }
    const child = spawn(process.execPath, [launcher, ...args], { stdio: o.stdio ?? 'inherit', env, detached: true })
    const ended = new Promise<number | null>((resolve) => {
      child.on('error', () => resolve(null))
      child.on('close', resolve)
    })
    this.#running.set(
      child,
      ended.finally(() => this.#running.delete(child)),
    )
    return child
  }

  /** Its exit code, once it has ended and all that it wrote is here; null where a signal ended it. Fails where the demonstration is to end. */
  async ended(child: ChildProcess): Promise<number | null> {
    const code = (await this.#running.get(child)) ?? child.exitCode
    this.#goOn()
    return code
  }

  /** Asks it to end, once. */
  end(child: ChildProcess): void {
    if (this.#asked.has(child)) return
    this.#asked.add(child)
    child.kill('SIGTERM')
  }

  #goOn(): void {
    if (this.#stoppedBy !== undefined) throw new DemoFailed('ended before it was over')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#running]
    for (const [child] of running) this.end(child)
    await Promise.all(running.map(([, ended]) => ended))
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
  }
}
