import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { PREDICATE_TYPE } from '../attestations/statement/predicate-types.ts'
import { questionOf } from '../attestations/verify/testing/ask.ts'
import { ARTIFACT, caseWorld } from '../attestations/verify/testing/case-world.ts'
import { GOOD } from '../attestations/verify/testing/cases/good.ts'
import { fetchedTools, NO_TOOLS } from '../attestations/verify/testing/fetched-tools.ts'
import { cosignArguments } from '../attestations/verify/testing/other-tools.ts'
import { SIGNER } from '../attestations/verify/testing/paper-sigstore.ts'
import { parseTrustedRoot } from '../attestations/verify/trusted-root.ts'
import { verifyAttestation } from '../attestations/verify/verify-attestation.ts'
import { median } from './median.ts'

/**
 * How long `attestation verify` takes as a whole process, against `cosign verify-blob-attestation` on the same bundle and against a Node that
 * does nothing, one after the other in turn; then how many bundles one core verifies in process.
 * node bench/attestation-verify.ts [--runs 20] [--seconds 3]   after `npm run build` and `make interop`
 */
const { values } = parseArgs({ options: { runs: { type: 'string', default: '20' }, seconds: { type: 'string', default: '3' } } })

const QUESTION = [
  'bundle.sigstore.json',
  '--artifact',
  'artifact',
  '--trusted-root',
  'trusted_root.json',
  '--certificate-identity',
  SIGNER.subjectAlternativeName,
  '--certificate-oidc-issuer',
  SIGNER.issuer,
]

const folder = await mkdtemp(path.join(os.tmpdir(), 'bitwitness-bench-'))
try {
  const world = await caseWorld()
  await wholeProcess(world, Number(values.runs))
  await inProcess(world, Number(values.seconds))
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function wholeProcess(world: Awaited<ReturnType<typeof caseWorld>>, runs: number): Promise<void> {
  const tools = fetchedTools()
  if (tools === undefined) throw new Error(NO_TOOLS)
  const files = { 'bundle.sigstore.json': await world.keyless(), 'trusted_root.json': world.sigstore.root() }
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), JSON.stringify(content))
  await writeFile(path.join(folder, 'artifact'), ARTIFACT)
  const policy = {
    signer: { kind: 'certificate', ...SIGNER },
    predicateType: PREDICATE_TYPE.reproduced,
    artifact: undefined as never,
  } as const
  const launcher = path.join(import.meta.dirname, '..', 'src', 'bin', 'bitwitness.js')
  const verify = [launcher, 'attestation', 'verify', ...QUESTION]
  // Compiled code is kept where there is a home.
  const [home, none] = [path.join(folder, 'home'), path.join(folder, 'none')]
  await mkdir(home, { mode: 0o700 })
  const contestants: Readonly<Record<string, readonly [string, readonly string[], string]>> = {
    'node, doing nothing': [process.execPath, ['--eval', '0'], none],
    cosign: [tools.cosign, cosignArguments({ policy }, 'certificate'), none],
    'verify, no home': [process.execPath, verify, none],
    'verify, with a home': [process.execPath, verify, home],
  }
  const samples = new Map(Object.keys(contestants).map((name) => [name, { wall: [] as number[], cpu: 0 }]))
  for (let run = -1; run < runs; run += 1)
    for (const [name, [program, args, BITWITNESS_HOME]] of Object.entries(contestants)) {
      const [since, before] = [performance.now(), await childrenCpu()]
      await execa(program, args, { cwd: folder, env: { BITWITNESS_HOME } })
      const sample = samples.get(name)
      // The first round warms what the system keeps of files.
      if (run < 0 || sample === undefined) continue
      sample.wall.push(performance.now() - since)
      sample.cpu += (await childrenCpu()) - before
    }
  const load = os.loadavg()[0]?.toFixed(1)
  console.log(`${runs} rounds, in turn, ${os.availableParallelism()} processors, load ${load}, node ${process.version}`)
  const cosign = samples.get('cosign')?.wall ?? []
  for (const [name, { wall, cpu }] of samples) {
    const ratio = median(wall.map((ms, run) => ms / (cosign[run] ?? Number.NaN)))
    console.log(
      `${name.padEnd(20)} ${median(wall).toFixed(0).padStart(5)} ms   ${Math.min(...wall)
        .toFixed(0)
        .padStart(5)} ms at best   ${(cpu / runs).toFixed(0).padStart(5)} ms of CPU   ${ratio.toFixed(2)} x cosign (median of pairs)`,
    )
  }
}

/** CPU time of all children that have ended, ms (proc(5): cutime and cstime of /proc/self/stat, in hundredths of a second). */
async function childrenCpu(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'utf8')).replace(/^.*\) /, '').split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10
}

async function inProcess(world: Awaited<ReturnType<typeof caseWorld>>, seconds: number): Promise<void> {
  console.log('in process, one core')
  for (const [name, one] of Object.entries(GOOD)) {
    const { bundle, root, policy, now } = questionOf(await one.make(world), one, world)
    const trustedRoot = parseTrustedRoot(root)
    const verify = (): void => {
      if (verifyAttestation({ bundle, trustedRoot, policy, now }).verdict !== 'verified') throw new Error(`${name} is not verified`)
    }
    for (let warm = 0; warm < 50; warm += 1) verify()
    const [since, before] = [performance.now(), process.cpuUsage()]
    let count = 0
    for (; performance.now() - since < seconds * 1000; count += 1) verify()
    const { user, system } = process.cpuUsage(before)
    const cpu = (user + system) / 1e6
    console.log(
      `${name.padEnd(24)} ${(count / cpu).toFixed(0).padStart(5)} bundles for a second of CPU   ${(count / seconds).toFixed(0).padStart(5)} a second`,
    )
  }
}
