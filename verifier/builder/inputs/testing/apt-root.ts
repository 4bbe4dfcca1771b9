import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { digestOf } from '../../../bytes/digest-of.ts'
import { aptSandboxTree } from '../apt-sandbox.ts'

export type AptRoot = AsyncDisposable & {
  /** Runs apt-get with nothing of the host's configuration; answers exit code and everything it printed. */
  apt(port: number, ...args: string[]): Promise<{ readonly exit: number | null; readonly output: string }>
  /** Names and sha256 of what apt keeps of the archives. */
  lists(): Promise<Map<string, string>>
  debs(): Promise<Map<string, string>>
}

/** An empty root in which this host's apt uses our sources and Debian's keyring. */
export async function aptRoot(suite: string): Promise<AptRoot> {
  const dir = await mkdtemp(path.join(tmpdir(), 'apt-root-'))
  for (const folder of ['etc/apt/preferences.d', 'var/lib/apt/lists/partial', 'var/lib/dpkg', 'var/cache/apt/archives/partial', 'work'])
    await mkdir(path.join(dir, folder), { recursive: true })
  for (const file of aptSandboxTree({ suite, architecture: 'amd64' })) {
    await mkdir(path.dirname(path.join(dir, file.path)), { recursive: true })
    await writeFile(path.join(dir, file.path), file.content)
  }
  await writeFile(path.join(dir, 'var/lib/dpkg/status'), '')
  await writeFile(
    path.join(dir, 'apt.conf'),
    `Dir "${dir}/";\nDir::State::status "${dir}/var/lib/dpkg/status";\nAPT::Architecture "amd64";\nAPT::Architectures "amd64";\nAPT::Sandbox::User "root";\n`,
  )
  return {
    apt: (port, ...args) =>
      new Promise((resolve, reject) => {
        const child = spawn('apt-get', ['-o', `Acquire::http::Proxy=http://127.0.0.1:${port}`, ...args], {
          cwd: path.join(dir, 'work'),
          env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C.UTF-8', APT_CONFIG: path.join(dir, 'apt.conf') },
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        let output = ''
        const hear = (part: Buffer): void => void (output += part.toString())
        child.stdout.on('data', hear)
        child.stderr.on('data', hear)
        child.once('error', reject)
        child.once('close', (exit) => resolve({ exit, output }))
      }),
    lists: () => files(path.join(dir, 'var/lib/apt/lists')),
    debs: () => files(path.join(dir, 'work')),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  }
}

async function files(dir: string): Promise<Map<string, string>> {
  const entries = await readdir(dir, { withFileTypes: true })
  const names = entries.flatMap((entry) => (entry.isFile() && entry.name !== 'lock' ? [entry.name] : []))
  return new Map(await Promise.all(names.toSorted().map(async (name) => [name, digestOf(await readFile(path.join(dir, name)))] as const)))
}
