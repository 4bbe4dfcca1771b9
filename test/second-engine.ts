import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { answers } from '../tools/docker-engine.ts'

export type FileSystem = 'ext4' | 'btrfs' | 'xfs'

export type SecondEngine = AsyncDisposable & {
  /** As in DOCKER_HOST. */
  readonly host: string
  /** Where the engine keeps images, containers and volumes. */
  readonly data: string
  /** Ends the engine by SIGKILL, and its containerd with it, as the kernel would for want of memory. Containers are not asked. */
  kill(): Promise<void>
  /** Starts it again on the same data. */
  start(): Promise<void>
}

/** A loop-mounted disk; what is not written takes no room. xfs refuses to be made smaller than 300 MB. */
const DISK_BYTES = 12 * 1024 ** 3
const MAKE: Readonly<Record<FileSystem, readonly [program: string, ...flags: string[]]>> = {
  ext4: ['mkfs.ext4', '-q', '-F'],
  btrfs: ['mkfs.btrfs', '-q', '-f'],
  xfs: ['mkfs.xfs', '-q', '-f'],
}
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
/** How long dockerd may take to answer, or to end, on a machine that is busy. */
const PATIENCE = 90_000

/**
 * Starts a Docker engine of a test's own, which may be killed: its own data, socket and containerd, no network, nothing shared with the
 * engine of the machine. Disposing of it leaves no process, mount or folder. Needs root and, for a file system, loop devices.
 */
export async function startSecondEngine(options: { readonly fileSystem?: FileSystem } = {}): Promise<SecondEngine> {
  if (process.getuid?.() !== 0) throw new Error('a Docker engine of the test’s own can be started by root only')
  // Sockets have short names: the folder is made where names are short.
  const folder = await mkdtemp(path.join(tmpdir(), 'bwe-'))
  const engine = new PrivateEngine(folder)
  try {
    if (options.fileSystem !== undefined) await mountDisk(folder, engine.data, options.fileSystem)
    await engine.start()
    return engine
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}

class PrivateEngine implements SecondEngine {
  readonly host: string
  readonly data: string
  readonly #folder: string
  #daemon: ChildProcess | undefined

  constructor(folder: string) {
    this.#folder = folder
    this.data = path.join(folder, 'data')
    this.host = `unix://${path.join(folder, 'sock')}`
  }

  async start(): Promise<void> {
    const at = (name: string): string => path.join(this.#folder, name)
    await mkdir(this.data, { recursive: true })
    // Not the machine's own configuration.
    await writeFile(at('daemon.json'), '{}')
    await rm(at('pid'), { force: true })
    const log = openSync(at('log'), 'a')
    const daemon = spawn(
      // A dockerd without a bridge removes docker0, which may be another engine's: it gets a network of its own.
      'unshare',
      [
        '--net',
        '--',
        'dockerd',
        `--config-file=${at('daemon.json')}`,
        `--data-root=${this.data}`,
        `--exec-root=${at('exec')}`,
        `--pidfile=${at('pid')}`,
        `--host=${this.host}`,
        '--bridge=none',
        '--iptables=false',
        '--ip6tables=false',
        '--shutdown-timeout=5',
      ],
      { detached: true, stdio: ['ignore', log, log], env: { ...process.env, PATH, DOCKER_HOST: '' } },
    )
    closeSync(log)
    this.#daemon = daemon
    const deadline = performance.now() + PATIENCE
    while (!(await answers(this.host, 2000))) {
      if (hasEnded(daemon) || performance.now() > deadline)
        throw new Error(`dockerd does not come up: ${(await readFile(at('log'), 'utf8')).slice(-2000)}`)
      await delay(50)
    }
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
    // Its containerd dies with it, but a dockerd that starts before that takes the dying one for a running one, and waits for it in vain.
    const pid = (await readFile(path.join(this.#folder, 'exec/containerd/containerd.pid'), 'utf8').catch(() => '')).trim()
    const deadline = performance.now() + PATIENCE
    while (pid !== '' && existsSync(`/proc/${pid}`)) {
      if (performance.now() > deadline) throw new Error('containerd outlives its dockerd')
      await delay(10)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Asked to end, dockerd stops its containers and lets go of its mounts; only where it cannot is that left to us.
    await this.#end('SIGTERM')
    await this.#endRest()
    for (const point of await mountsBelow(this.#folder)) await execa('umount', ['--lazy', point], { reject: false, env: { PATH } })
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon
    if (daemon === undefined || hasEnded(daemon)) return
    const ended = new Promise<'ended'>((resolve) => daemon.once('exit', () => resolve('ended')))
    daemon.kill(signal)
    const late = new AbortController()
    const end = await Promise.race([ended, delay(PATIENCE, 'late' as const, { signal: late.signal })])
    late.abort()
    if (end === 'ended') return
    if (signal === 'SIGKILL') throw new Error('dockerd cannot be killed')
    await this.#end('SIGKILL')
  }

  /** Shims outlive a killed dockerd; what runs below them are our own containers. All of them name our folder. */
  async #endRest(): Promise<void> {
    const deadline = performance.now() + PATIENCE
    for (;;) {
      const left = await processesOf(this.#folder)
      if (left.length === 0) return
      if (performance.now() > deadline) throw new Error(`processes of the second engine are left: ${left.join(', ')}`)
      for (const pid of left) endProcess(pid)
      await delay(50)
    }
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone by itself.
  }
}

/** Processes whose command line names the folder, and their children, children first. Zombies are over. */
async function processesOf(folder: string): Promise<number[]> {
  const all = new Map<number, { readonly parent: number; readonly ours: boolean }>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    try {
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8')
      const stat = await readFile(`/proc/${name}/stat`, 'latin1')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const ours = command.split('\0').some((word) => word.includes(`${folder}/`))
      if (state !== 'Z') all.set(Number(name), { parent: Number(parent), ours })
    } catch {
      // Ended while we looked.
    }
  }
  const belongs = (pid: number): boolean => {
    const found = all.get(pid)
    return found !== undefined && (found.ours || belongs(found.parent))
  }
  return [...all.keys()].filter(belongs).reverse()
}

async function mountDisk(folder: string, target: string, kind: FileSystem): Promise<void> {
  const disk = path.join(folder, 'disk')
  await writeFile(disk, '')
  await truncate(disk, DISK_BYTES)
  const [program, ...flags] = MAKE[kind]
  await execa(program, [...flags, disk], { env: { PATH } })
  await mkdir(target, { recursive: true })
  await execa('mount', ['-o', 'loop', '-t', kind, disk, target], { env: { PATH } })
}

/** Mount points at or below a folder, the innermost first. */
async function mountsBelow(folder: string): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  return lines
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .reverse()
}
