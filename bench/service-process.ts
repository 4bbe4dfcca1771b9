import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { ServingDocument } from '../src/app/service/serving-document.ts'
import type { Secret } from '../verifier/model/secret.ts'
import { bytesInMemory, processorSeconds } from './processor-seconds.ts'

const LAUNCHER = path.join(import.meta.dirname, '..', 'src', 'bin', 'bitwitness.js')

/** `serve` in a process of its own, as it is when it is installed: compiled. */
export class ServiceProcess implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(o: {
    readonly database: Secret
    readonly home: string
    readonly args?: readonly string[]
    readonly environment?: Readonly<Record<string, string>>
    /** Flags of Node's own. */
    readonly node?: readonly string[]
  }): Promise<ServiceProcess> {
    const env = {
      ...process.env,
      DATABASE_URL: o.database.reveal(),
      BITWITNESS_HOME: o.home,
      BITWITNESS_LISTEN: '127.0.0.1:0',
      BITWITNESS_LOG_LEVEL: 'warn',
      DOCKER_HOST: 'unix:///nowhere',
      ...o.environment,
    }
    const child = spawn(process.execPath, [...(o.node ?? []), LAUNCHER, 'serve', '--json', ...(o.args ?? ['--no-worker'])], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      said += part
      if (said.endsWith('\n}\n')) resolve(said)
    })
    child.once('exit', () => reject(new Error(`serve ended:\n${said}`)))
    try {
      const { url } = ServingDocument.parse(JSON.parse(await promise))
      return new ServiceProcess(child, Number(new URL(url).port))
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** Seconds of processor time so far, and bytes in memory now. */
  async usage(): Promise<{ readonly cpu: number; readonly rss: number }> {
    const pid = this.#child.pid ?? 0
    return { cpu: await processorSeconds(pid), rss: await bytesInMemory(pid) }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await ended
  }
}
