import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CheckReport, VerificationReport } from '../verifier/model/report.ts'
import { makeHomeLikeShared, runCli } from './cli-process.ts'
import { type FileSystem, startSecondEngine } from './second-engine.ts'
import { sharedSettings } from './shared-home.ts'

const app = path.join(import.meta.dirname, '..', 'mkosi', 'app')
/** A build is given this long on a machine that is busy. */
const BUILD_SECONDS = 500

let folder: string
let home: string
let lock: string
/** What was built live, in memory, on the machine's own engine. */
let live: { readonly sha256: string; readonly treeDigest: string }
/** Digests of the tars as mkosi itself wrote them. */
const written = new Set<string>()

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-surroundings-'))
  home = path.join(folder, 'home')
  lock = path.join(folder, 'inputs.lock.json')
  const shared = (await sharedSettings()).home
  const { stdout, stderr } = await runCli(['check', app, '--attempts', '1', '--json'], {
    home: shared,
    engine: process.env['DOCKER_HOST'] ?? '',
    environment: { BITWITNESS_WORKSPACE: 'tmpfs', BITWITNESS_LIMIT_CPUS: '1' },
    seconds: BUILD_SECONDS,
  })
  const { attempts, source } = CheckReport.parse(JSON.parse(stdout))
  const [attempt] = attempts
  const artifact = attempt?.artifacts[0]
  if (artifact === undefined || attempt?.lock == null) throw new Error(`the reference app was not built:\n${stderr}\n${stdout}`)
  written.add(artifact.written.sha256)
  live = { sha256: artifact.sha256, treeDigest: source.treeDigest }
  await copyFile(path.join(shared, 'blobs', 'sha256', attempt.lock.slice(0, 2), attempt.lock), lock)
  await makeHomeLikeShared(home)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

type Surroundings = {
  readonly fileSystem: FileSystem
  readonly cpus: number
  /** Of our own process, and of the folder that the source lies in. */
  readonly umask: string
  readonly hostname: string | null
  readonly environment: Readonly<Record<string, string>>
  readonly source: { readonly reversed: boolean; readonly mtime: number }
}

describe('the reference app has the same bits from its lock', () => {
  it.each<Surroundings>([
    {
      fileSystem: 'ext4',
      cpus: 1,
      umask: '077',
      hostname: null,
      environment: { TZ: 'Asia/Kathmandu', LC_ALL: 'C' },
      source: { reversed: false, mtime: 1 },
    },
    {
      fileSystem: 'btrfs',
      cpus: 2,
      umask: '002',
      hostname: 'another-machine',
      environment: { TZ: 'America/St_Johns', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' },
      source: { reversed: true, mtime: 2_000_000_000 },
    },
    {
      fileSystem: 'xfs',
      cpus: 2,
      umask: '027',
      hostname: 'x',
      environment: { TZ: 'Pacific/Apia', LC_ALL: 'C.UTF-8', HOME: '/nonexistent', USER: 'nobody' },
      source: { reversed: true, mtime: 0 },
    },
  ])('on $fileSystem with $cpus CPUs, umask $umask, host name $hostname and time zone $environment.TZ', async (around) => {
    await using engine = await startSecondEngine({ fileSystem: around.fileSystem })
    const source = path.join(engine.data, 'source', 'app')
    await copySource(app, source, around)
    const { code, stdout, stderr } = await runCli(
      ['verify', source, '--lock', lock, '--claim', `sha256:${live.sha256}`, '--attempts', '1', '--json'],
      {
        home,
        engine: engine.host,
        by: surroundedBy(around),
        environment: {
          ...around.environment,
          BITWITNESS_WORKSPACE: 'volume',
          BITWITNESS_LIMIT_CPUS: String(Math.min(around.cpus, availableParallelism())),
        },
        seconds: BUILD_SECONDS,
      },
    )
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const report = VerificationReport.parse(JSON.parse(stdout))
    const [attempt] = report.attempts
    written.add(attempt?.artifacts[0]?.written.sha256 ?? '')
    expect({
      verdict: report.verdict,
      tier: report.tier,
      mode: attempt?.mode,
      workspace: attempt?.sandbox?.workspace,
      sha256: attempt?.artifacts[0]?.sha256,
      treeDigest: report.source.treeDigest,
    }).toEqual({ verdict: 'reproduced', tier: 'bit-exact', mode: 'replay', workspace: 'volume', ...live })
  })

  it('though these surroundings do change what mkosi itself writes', () => {
    expect(written.size).toBeGreaterThan(1)
  })
})

/** Sets what a process is born with, then becomes the command line. */
function surroundedBy({ umask, hostname }: Surroundings): string[] {
  const script = hostname === null ? 'umask "$0"; exec "$@"' : 'umask "$0"; printf %s "$1" > /proc/sys/kernel/hostname; shift; exec "$@"'
  const shell = ['sh', '-ec', script, umask]
  return hostname === null ? shell : ['unshare', '--uts', '--', ...shell, hostname]
}

/** Copies a folder as another machine could have it: the rights that a umask leaves, times of its own, entries made in another order. */
async function copySource(from: string, to: string, around: Surroundings): Promise<void> {
  const { source } = around
  const rights = (all: number): number => all & ~Number.parseInt(around.umask, 8)
  await mkdir(to, { recursive: true })
  const entries = (await readdir(from, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of source.reversed ? entries.reverse() : entries) {
    const [original, copy] = [path.join(from, entry.name), path.join(to, entry.name)]
    if (entry.isDirectory()) await copySource(original, copy, around)
    else {
      await writeFile(copy, await readFile(original))
      const executable = ((await stat(original)).mode & 0o100) !== 0
      await chmod(copy, rights(executable ? 0o777 : 0o666))
      await utimes(copy, source.mtime, source.mtime)
    }
  }
  await chmod(to, rights(0o777))
  await utimes(to, source.mtime, source.mtime)
}
