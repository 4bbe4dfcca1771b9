import { mkdir, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { writeFixture } from './compare-fixture.ts'
import { median } from './median.ts'

/**
 * How long it takes to compare two image tars (canonical digests, tree manifests, OCI digests), against `sha256sum` of both.
 * node bench/compare.ts [--size 400M] [--files 10000] [--runs 5] [--dir FOLDER] [--compiled]
 * --compiled measures dist/, which `node tools/build.ts` makes and which is what an installed package runs; without it the sources are.
 */
const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '400M' },
    files: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '5' },
    dir: { type: 'string', default: os.tmpdir() },
    compiled: { type: 'boolean', default: false },
  },
})

type Sample = { readonly seconds: number; readonly peakBytes: number; readonly cpuMs: number }
type Result = { readonly compared: readonly { readonly manifest: string }[]; readonly peakBytes: number; readonly cpuMs: number }

const runner = values.compiled ? await compiledRunner() : path.join(import.meta.dirname, 'compare-run.ts')
const folder = await mkdtemp(path.join(values.dir, 'bitwitness-bench-'))
try {
  await main(sizeOf(values.size), Number(values.runs))
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function main(size: number, runs: number): Promise<void> {
  const free = await statfs(folder)
  if (free.bavail * free.bsize < size * 4.5) throw new Error(`${folder} has no room for four tars of that size; name another with --dir`)
  const tars = ['a.tar', 'b.tar'].map((name) => path.join(folder, name))
  // Equal trees: what is found can then be checked. Neither is in canonical order.
  for (const tar of tars) writeFixture(tar, { size, files: Number(values.files), seed: 1 })
  console.log(
    `two tars of ${(size / 1e6).toFixed(0)} MB with ${values.files} files each, ${os.availableParallelism()} processors, node ${process.version}, ${values.compiled ? 'compiled' : 'from TypeScript'}`,
  )
  await time('sha256sum', ['--', ...tars])
  const rows = { sha256sum: [] as number[], digest: [] as Sample[], write: [] as Sample[] }
  for (let run = 0; run < runs; run += 1) {
    // Neighbours in time, so that what else the machine does hits all three.
    rows.sha256sum.push(await time('sha256sum', ['--', ...tars]))
    rows.digest.push(await sample('digest', tars))
    rows.write.push(await sample('write', tars))
  }
  const base = median(rows.sha256sum)
  console.log(`sha256sum of both        ${base.toFixed(2)} s`)
  for (const [mode, label] of [
    ['digest', 'compare'],
    ['write', 'compare and write both'],
  ] as const) {
    // biome-ignore format: one line
    const samples = rows[mode]
    const ratio = median(samples.map((one, run) => one.seconds / (rows.sha256sum[run] ?? Number.NaN)))
    const seconds = median(samples.map((one) => one.seconds)).toFixed(2)
    const peak = Math.max(...samples.map((one) => one.peakBytes)) / 1e6
    const cpu = (median(samples.map((one) => one.cpuMs)) / 1000).toFixed(2)
    console.log(
      `${label.padEnd(24)} ${seconds} s   ${ratio.toFixed(2)} x sha256sum (median of pairs)   ${cpu} s of CPU   peak RSS ${peak.toFixed(0)} MB`,
    )
  }
}

async function sample(mode: 'digest' | 'write', tars: readonly string[]): Promise<Sample> {
  const started = performance.now()
  const { stdout } = await execa(process.execPath, [runner, folder, mode, ...tars])
  const seconds = (performance.now() - started) / 1000
  const { compared, peakBytes, cpuMs } = JSON.parse(stdout) as Result
  if (new Set(compared.map(({ manifest }) => manifest)).size !== 1) throw new Error('equal trees were not found equal')
  return { seconds, peakBytes, cpuMs }
}

async function time(program: string, args: readonly string[]): Promise<number> {
  const started = performance.now()
  await execa(program, args)
  return (performance.now() - started) / 1000
}

/** The measured process, among the compiled files that it is to use. */
async function compiledRunner(): Promise<string> {
  const source = await readFile(path.join(import.meta.dirname, 'compare-run.ts'), 'utf8')
  const file = path.join(import.meta.dirname, '..', 'dist', 'bench', 'compare-run.js')
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, stripTypeScriptTypes(source).replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"))
  return file
}

function sizeOf(text: string): number {
  const match = /^(\d+)([KMG]?)$/.exec(text)
  if (match === null) throw new Error('--size is a number with K, M or G')
  return Number(match[1]) * { '': 1, K: 1e3, M: 1e6, G: 1e9 }[(match[2] ?? '') as '' | 'K' | 'M' | 'G']
}
