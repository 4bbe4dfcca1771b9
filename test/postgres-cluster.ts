import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** A PostgreSQL server of the tests' own; ended, with all that it wrote, when it is disposed of. */
export interface PostgresCluster extends AsyncDisposable {
  /** Of its database `postgres`; holds the password. */
  readonly url: string
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
  const server = spawn(path.join(programs, 'postgres'), ['-D', data, ...settings.flatMap((one) => ['-c', one])], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    let log = ''
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-10_000)
      if (log.includes('database system is ready to accept connections')) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${log}`)))
  })
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    [Symbol.asyncDispose]: async () => {
      // Ends connections at once and writes nothing more: the folder goes anyway.
      server.kill('SIGQUIT')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A port of the loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
