import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { Context } from '../src/context.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { sharedSettings, testRoom } from '../test/shared-home.ts'
import { readAptMirrors } from '../verifier/builder/inputs/apt-mirrors.ts'
import { aptSandboxTree } from '../verifier/builder/inputs/apt-sandbox.ts'
import { parseLock } from '../verifier/builder/inputs/parse-lock.ts'
import { replayInputs } from '../verifier/builder/inputs/replay.ts'
import { LOGICAL_BASE } from '../verifier/builder/inputs/target.ts'
import { planBuild } from '../verifier/builder/plan.ts'
import { Sha256 } from '../verifier/model/digest.ts'
import type { CheckReport } from '../verifier/model/report.ts'
import { median } from './median.ts'

/**
 * `node bench/verify.ts [PAIRS]`: what a rebuild of the reference app costs over plain mkosi, in the same container with the same flags
 * and inputs (a replay against mkosi with those inputs at hand, a live one against mkosi that takes them from the mirror), and against a
 * cold plain mkosi with its defaults (workspace on disk, from the mirror). Paired; wall time in seconds.
 */
const run = promisify(execFile)
const root = path.join(import.meta.dirname, '..')
const app = path.join(root, 'mkosi', 'app')
const pairs = Number(process.argv[2] ?? 3)
const settings = await sharedSettings()
const { builder } = await testRoom()
const scratch = await mkdtemp(path.join(tmpdir(), 'bench-verify-'))
await using context = await Context.open(settings)
const blobs = await openBlobFolder(path.join(settings.home, 'blobs'))

const recorded = await check(null)
const lockDigest = Sha256.parse(recorded.report.lock)
const lockFile = path.join(scratch, 'inputs.lock.json')
const lockText = await textOf(lockDigest)
await writeFile(lockFile, lockText)
const lock = parseLock(lockText)
const seccomp = path.join(root, 'mkosi', 'builder', 'seccomp.json')
const source = path.join(scratch, 'src')
await cp(app, source, { recursive: true })
await run('chmod', ['-R', 'go+rX', scratch])

const rows: Record<string, number[]> = { replay: [], plain: [], live: [], plainLive: [], cold: [] }
for (let pair = 0; pair < pairs; pair += 1) {
  await measure('replay', async () => (await check(lockFile)).seconds)
  await measure('plain', plain)
  await measure('live', async () => (await check(null)).seconds)
  await measure('plainLive', plainLive)
  await measure('cold', cold)
}
console.log(`\n${pairs} pairs; seconds: min, median, max`)
for (const [name, values] of Object.entries(rows))
  console.log(`${name.padEnd(8)} ${[Math.min(...values), median(values), Math.max(...values)].map((v) => v.toFixed(2)).join('  ')}`)
for (const [mode, against] of [
  ['replay', 'plain'],
  ['live', 'plainLive'],
] as const) {
  const base = median(rows[against] ?? [])
  console.log(`${mode} over ${against}: ${(median(rows[mode] ?? []) - base).toFixed(2)} s more; allowed ${(base * 0.05 + 1).toFixed(2)} s`)
}
console.log(
  `replay / cold plain with defaults: ${(median(rows['replay'] ?? []) / median(rows['cold'] ?? [])).toFixed(2)}; wanted at most 0.60`,
)
const last = (await check(lockFile)).report.attempts[0]
console.log(
  `where a replay goes, ms: ${last?.stages.map(({ name, ms }) => `${name} ${Math.round(ms)}`).join(', ')}; CPU ${last?.usage?.cpuMs} ms`,
)
await rm(scratch, { recursive: true, force: true })

async function measure(name: string, once: () => Promise<number>): Promise<void> {
  const seconds = await once()
  rows[name]?.push(seconds)
  console.log(`${name.padEnd(8)} ${seconds.toFixed(2)}`)
}

/** One attempt, from the source to the report. */
async function check(lockPath: string | null): Promise<{ seconds: number; report: CheckReport }> {
  const from = performance.now()
  const signal = new AbortController().signal
  const report = await context.check({
    source: app,
    attempts: 1,
    lock: lockPath,
    inputs: null,
    builder: null,
    snapshot: null,
    signal,
    emit: () => {},
  })
  const seconds = (performance.now() - from) / 1000
  if (report.attempts[0]?.outcome !== 'built') throw new Error(`the attempt ended as ${report.attempts[0]?.outcome}`)
  return { seconds, report }
}

/** mkosi by itself, in the container that we use, with our flags and inputs; source and output are folders of the host. */
async function plain(): Promise<number> {
  await using proxy = replayInputs({ lock, blobs })
  const { port } = await proxy.listen()
  const tree = await sandboxTree('replay', (content) => content)
  return await bare(tree, (word) => (word.startsWith('--proxy-url=') ? [`--proxy-url=http://127.0.0.1:${port}`] : [word]))
}

/** The same, with the inputs from the mirror. */
async function plainLive(): Promise<number> {
  const tree = await mirrorTree('live')
  return await bare(tree, (word) => (word.startsWith('--proxy-url=') ? [] : [word]))
}

async function bare(tree: string, change: (word: string) => string[]): Promise<number> {
  const recipe = recorded.report.recipe
  const { job } = planBuild({ recipe, sandboxTree: [], sourceDateEpoch: null, profiles: [] })
  const command = job.command.flatMap(change)
  const prepare = 'mkdir -p /work/workspace /work/cache /work/home; exec unshare --user --map-auto --map-root-user --keep-caps -- "$@"'
  return await timed([
    ...confined(),
    ...Object.entries(job.environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...words(`--tmpfs /work:rw,exec,dev,suid,size=5g,mode=0755,uid=1000,gid=1000 --tmpfs /var/tmp:rw,exec,nosuid,size=1g,mode=1777`),
    ...words(`--volume ${source}:/work/src:ro --volume ${tree}:/work/sandbox:ro --volume ${await outFolder('plain')}:/work/out`),
    ...words(`--entrypoint sh ${builder.image} -c`),
    prepare,
    'sh',
    ...command,
  ])
}

/** mkosi with its defaults: workspace on disk, from the mirror, nothing cached. */
async function cold(): Promise<number> {
  const tree = await mirrorTree('cold')
  const workspace = path.join(scratch, 'var-tmp')
  await mkdir(workspace, { recursive: true })
  await chmod(workspace, 0o1777)
  const cache = path.join(scratch, 'var-cache')
  await rm(cache, { recursive: true, force: true })
  await mkdir(cache)
  await chmod(cache, 0o777)
  await run('sync')
  await writeFile('/proc/sys/vm/drop_caches', '3').catch(() => console.error('caches were not dropped: not root'))
  return await timed([
    ...confined(),
    ...words(
      `--volume ${workspace}:/var/tmp --volume ${cache}:/var/cache/mkosi --volume ${source}:/src:ro --volume ${tree}:/tree:ro --volume ${await outFolder('cold')}:/out`,
    ),
    ...words(`--env HOME=/var/tmp --entrypoint unshare ${builder.image}`),
    ...words(`--user --map-auto --map-root-user --keep-caps -- mkosi --directory=/src --output-directory=/out --sandbox-tree=/tree build`),
  ])
}

function confined(): string[] {
  return [
    ...words(`run --rm --user 1000:1000 --cap-drop ALL --cap-add SETUID --cap-add SETGID --read-only`),
    ...words(`--security-opt seccomp=${seccomp} --network host --memory 6g --pids-limit 4096 --cpuset-cpus 0`),
    ...words(`--tmpfs /tmp:rw,exec,nosuid,size=1g,mode=1777`),
  ]
}

async function timed(args: readonly string[]): Promise<number> {
  const from = performance.now()
  await run('docker', [...args], { maxBuffer: 64 << 20 })
  return (performance.now() - from) / 1000
}

async function outFolder(name: string): Promise<string> {
  const folder = path.join(scratch, `out-${name}`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o777)
  await chmod(scratch, 0o755)
  return folder
}

/** Apt's sources with the mirrors of this machine in the place of the proxy's. */
async function mirrorTree(name: string): Promise<string> {
  const mirrors = await readAptMirrors()
  return await sandboxTree(name, (content) =>
    content.replaceAll(new RegExp(`${LOGICAL_BASE}/([a-z-]+)`, 'g'), (whole, archive: string) => mirrors.get(archive)?.[0]?.href ?? whole),
  )
}

async function sandboxTree(name: string, change: (content: string) => string): Promise<string> {
  const folder = path.join(scratch, `tree-${name}`)
  for (const file of aptSandboxTree({ suite: 'bookworm', architecture: builder.architecture })) {
    await mkdir(path.dirname(path.join(folder, file.path)), { recursive: true })
    await writeFile(path.join(folder, file.path), change(file.content))
  }
  return folder
}

async function textOf(sha256: Sha256): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of await blobs.open(sha256)) parts.push(Uint8Array.from(part))
  return Buffer.concat(parts).toString('utf8')
}

/** Arguments, none of which holds a space. */
function words(text: string): string[] {
  return text.split(' ')
}
