import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, link, mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sharedSettings } from './shared-home.ts'

const main = path.join(import.meta.dirname, '..', 'src', 'bin', 'main.ts')

/**
 * Stops the process by SIGSTOP right after it wrote what is in a line of STOP_AT to stderr, once for each line, so that a test can act at
 * that point however short it is. Nothing else is changed.
 */
const STOP_HOOK = `
const { write } = process.stderr
const points = process.env.STOP_AT.split('\\n')
process.stderr.write = function (text, ...rest) {
  const written = write.call(process.stderr, text, ...rest)
  if (points.length > 0 && String(text).includes(points[0])) {
    points.shift()
    process.kill(process.pid, 'SIGSTOP')
  }
  return written
}`

export type CliOptions = {
  readonly home: string
  /** As in DOCKER_HOST. */
  readonly engine: string
  /** Settings and other variables on top. */
  readonly environment?: Readonly<Record<string, string>>
  /** Stop when this was written to stderr, one after the other. */
  readonly stopAt?: readonly string[]
  /** A file instead of a pipe. */
  readonly stdout?: number
  /** Programs to run it by, such as `['unshare', '--uts']`. */
  readonly by?: readonly string[]
}

export type CliEnd = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

/** The real command line in a process of its own. */
export class CliProcess {
  readonly child: ChildProcess
  readonly #since = performance.now()
  readonly #end: Promise<CliEnd>
  #stderr = ''

  constructor(args: readonly string[], options: CliOptions) {
    const { stopAt, by = [], environment, home, engine } = options
    const inherited = Object.entries(process.env).filter(([name]) => !/^(BITWITNESS_|NODE_OPTIONS$|VITEST)/.test(name))
    const hook = stopAt === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(STOP_HOOK)}`]
    const [program = process.execPath, ...rest] = [...by, process.execPath, ...hook, main, ...args]
    this.child = spawn(program, rest, {
      stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
      env: {
        ...Object.fromEntries(inherited),
        BITWITNESS_HOME: home,
        DOCKER_HOST: engine,
        ...(stopAt === undefined ? {} : { STOP_AT: stopAt.join('\n') }),
        ...environment,
      },
    })
    let stdout = ''
    this.child.stdout?.on('data', (part: Buffer) => {
      stdout += part.toString('utf8')
    })
    this.child.stderr?.on('data', (part: Buffer) => {
      this.#stderr += part.toString('utf8')
    })
    this.#end = once(this.child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout,
      stderr: this.#stderr,
      ms: performance.now() - this.#since,
    }))
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Resolves once the process stopped itself at this point; rejects where it ends before, or does neither within the time. */
  async stoppedAt(point: string, seconds = 90): Promise<void> {
    const deadline = performance.now() + seconds * 1000
    while (!this.#stderr.includes(point) || (await this.#state()) !== 'T') {
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(`it ended before it stopped:\n${this.#stderr}`)
      if (performance.now() > deadline) throw new Error(`it did not stop:\n${this.#stderr}`)
      await delay(10)
    }
  }

  resume(): void {
    this.child.kill('SIGCONT')
  }

  /** How it ended; killed, and a failure, where it does not within the time. */
  async ended(seconds = 90): Promise<CliEnd> {
    const late = new AbortController()
    const end = await Promise.race([this.#end, delay(seconds * 1000, undefined, { signal: late.signal })])
    late.abort()
    if (end !== undefined) return end
    this.child.kill('SIGKILL')
    throw new Error(`it does not end within ${seconds} s:\n${this.#stderr}`)
  }

  async #state(): Promise<string | undefined> {
    try {
      const stat = await readFile(`/proc/${this.child.pid}/stat`, 'latin1')
      return stat.slice(stat.lastIndexOf(')') + 2)[0]
    } catch {
      return undefined
    }
  }
}

/** Runs one command line to its end. */
export async function runCli(args: readonly string[], options: CliOptions & { readonly seconds?: number }): Promise<CliEnd> {
  return await new CliProcess(args, options).ended(options.seconds)
}

/** Makes a home that knows the builders and blobs of the shared one and takes no room for them where it lies on the same disk. */
export async function makeHomeLikeShared(home: string): Promise<void> {
  const shared = (await sharedSettings()).home
  await mkdir(home, { recursive: true, mode: 0o700 })
  for (const folder of ['builders', 'blobs/sha256']) {
    const entries = await readdir(path.join(shared, folder), { recursive: true, withFileTypes: true })
    for (const entry of entries) {
      if (!entry.isFile()) continue
      const from = path.join(entry.parentPath, entry.name)
      const to = path.join(home, path.relative(shared, from))
      await mkdir(path.dirname(to), { recursive: true, mode: 0o700 })
      await link(from, to).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EXDEV') throw error
        await copyFile(from, to)
      })
    }
  }
}
