import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

/** A PostgreSQL server of the tests' own; ended, with all that it wrote, when it is disposed of. */
export interface PostgresCluster extends AsyncDisposable {
  /** Of its database `postgres`; holds the password. */
  readonly url: string
  /** Ends its first process by SIGKILL: the others end for want of it, and nobody writes a checkpoint. */
  kill(): Promise<void>
  /** Starts it again on the same port and data, which it recovers from its log of writes. */
  start(): Promise<void>
}

/** Debian's `nobody`: the server refuses to run as root. */
const NOBODY = 65534

/** The newest server that is installed, as Debian lays it out; undefined: there is none. */
export async function findPostgres(): Promise<string | undefined> {
  const root = '/usr/lib/postgresql'
  const versions = await readdir(root).catch(() => [])
  const [newest] = versions.filter((name) => /^\d+$/.test(name)).toSorted((a, b) => Number(b) - Number(a))
  return newest === undefined ? undefined : path.join(root, newest, 'bin')
}

/** Makes a cluster in a folder of its own and starts it on a free port of the loopback. It does not outlive its test run's process group. */
export async function startPostgres(programs: string): Promise<PostgresCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-postgres-'))
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  if (user.uid !== undefined) await chown(folder, NOBODY, NOBODY)
  const password = randomBytes(16).toString('hex')
  const passwordFile = path.join(folder, 'password')
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user.uid !== undefined) await chown(passwordFile, NOBODY, NOBODY)
  const data = path.join(folder, 'data')
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '-N']
  await promisify(execFile)(path.join(programs, 'initdb'), initdb, { ...user, cwd: folder })
  const port = await freePort()
  // Durable as a real one: a commit that a kill could undo would hide what the crash tests look for.
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=100', 'shared_buffers=128MB']
  const args = ['-D', data, ...settings.flatMap((one) => ['-c', one])]
  const begin = (): Promise<ServerProcess> => ServerProcess.start(path.join(programs, 'postgres'), args, { ...user, cwd: folder })
  let server = await begin()
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    kill: () => server.end('SIGKILL'),
    start: async () => {
      server = await begin()
    },
    [Symbol.asyncDispose]: async () => {
      // Ends connections at once and writes nothing more: the folder goes anyway.
      await server.end('SIGQUIT')
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

type Place = { readonly cwd: string; readonly uid?: number; readonly gid?: number }

/** How often a server is started that meets processes of a killed one, which take a moment to end: on a busy disk a long one. */
const STARTS = 600

class ServerProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  private constructor(child: ChildProcess, ended: Promise<void>) {
    this.#child = child
    this.#ended = ended
  }

  static async start(program: string, args: readonly string[], place: Place): Promise<ServerProcess> {
    for (let tries = 1; ; tries += 1) {
      const started = await ServerProcess.#once(program, args, place)
      if (started instanceof ServerProcess) return started
      if (tries === STARTS || !/is still in use|already exists/.test(started)) throw new Error(`PostgreSQL did not start:\n${started}`)
      await delay(100)
    }
  }

  /** Gives its log where it ended instead. */
  static async #once(program: string, args: readonly string[], place: Place): Promise<ServerProcess | string> {
    const child = spawn(program, args, { ...place, stdio: ['ignore', 'ignore', 'pipe'] })
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    return await new Promise((resolve, reject) => {
      let log = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-10_000)
        if (log.includes('database system is ready to accept connections')) resolve(new ServerProcess(child, ended))
      })
      child.once('error', reject)
      child.once('close', () => resolve(log))
    })
  }

  async end(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void> {
    this.#child.kill(signal)
    await this.#ended
  }
}

/** Below the ports that Linux hands out, so that nobody is given one of ours while who listens there is killed and started again. */
const PORTS = { first: 20_000, count: 12_000 } as const

/** A port of the loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + randomInt(PORTS.count)
    const probe = createServer()
    const listens = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!listens) continue
    await new Promise((resolve) => probe.close(resolve))
    return port
  }
}
