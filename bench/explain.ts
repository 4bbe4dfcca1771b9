// node bench/explain.ts A.tar B.tar [--no-diffoscope]
// Times the explanation of two tars, canonical form and tree manifests included, against Debian's diffoscope where it is installed,
// and checks that no path is missed that diffoscope names.
import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { canonicaliseTar } from '../verifier/compare/canonicalise.ts'
import { explain } from '../verifier/explain/explain.ts'
import { renderExplanation } from '../verifier/explain/render.ts'
import type { Explanation } from '../verifier/model/explanation.ts'
import { unescapeBytes } from '../verifier/model/tree-manifest.ts'

const [a, b, flag] = process.argv.slice(2)
if (a === undefined || b === undefined) throw new Error('usage: node bench/explain.ts A.tar B.tar [--no-diffoscope]')

const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-bench-'))
try {
  const { explanation, seconds, stages } = await ours(a, b)
  const { changed, added, removed } = explanation.totals
  const text = renderExplanation(explanation)
  console.log(`ours: ${seconds.toFixed(2)} s (${stages})`)
  console.log(`  ${changed} changed, ${added} added, ${removed} removed, ${explanation.packages.length} packages, ${text.length} lines`)
  console.log(
    `  state ${explanation.state} ${explanation.reason ?? ''}; most memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
  )
  for (const { rule, message } of explanation.findings) console.log(`  ${rule}: ${message}`)
  const unexplained = explanation.changes.filter((change) => change.rules.includes('unexplained'))
  for (const { path: name, what } of unexplained.slice(0, 20))
    console.log(`  unexplained ${name} ${what.map((one) => one.aspect).join(', ')}`)
  if (flag !== '--no-diffoscope') await holdAgainstDiffoscope(explanation, seconds)
} finally {
  await rm(folder, { recursive: true })
}

async function ours(left: string, right: string): Promise<{ explanation: Explanation; seconds: number; stages: string }> {
  const start = performance.now()
  const blobs = await openBlobFolder(path.join(folder, 'blobs'))
  const made = await Promise.all([left, right].map((input) => canonicaliseTar({ input, output: null, blobs })))
  const manifests = performance.now()
  const [one, other] = await Promise.all(made.map((tar) => blobs.open(tar.treeManifest)))
  const explanation = await explain({
    left: { manifest: one ?? null, file: left, label: left },
    right: { manifest: other ?? null, file: right, label: right },
  })
  const end = performance.now()
  const time = (from: number, to: number): number => (to - from) / 1000
  return {
    explanation,
    seconds: time(start, end),
    stages: `manifests ${time(start, manifests).toFixed(2)} s, explanation ${time(manifests, end).toFixed(2)} s`,
  }
}

async function holdAgainstDiffoscope(explanation: Explanation, seconds: number): Promise<void> {
  const report = path.join(folder, 'diffoscope.txt')
  const start = performance.now()
  const started = await run(['diffoscope', '--no-progress', '--text', report, '--max-report-size', '0', '--', String(a), String(b)])
  if (!started) {
    console.log('diffoscope is not installed: apt-get install diffoscope-minimal')
    return
  }
  const theirs = (performance.now() - start) / 1000
  const { lines, paths } = await namesIn(report)
  console.log(`diffoscope: ${theirs.toFixed(1)} s, ${lines} lines`)
  console.log(`ratio: ${(theirs / seconds).toFixed(1)} times faster`)
  const named = new Set(explanation.changes.map((change) => Buffer.from(unescapeBytes(change.path)).toString()))
  const missed = [...paths].filter((one) => !named.has(one))
  console.log(`paths that diffoscope names: ${paths.size}, missed by ours: ${missed.length}`)
  for (const one of missed.slice(0, 20)) console.log(`  missed ${one}`)
  if (missed.length > 0) process.exitCode = 1
}

/** False where the program is not there; its exit code 1 says only that the files differ. */
async function run([program, ...args]: readonly [string, ...string[]]): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('error', (error) => ('code' in error && error.code === 'ENOENT' ? resolve(false) : reject(error)))
    child.once('exit', () => resolve(true))
  })
}

/** Paths in the headings of the report's first level (contents of members), and in its listing of members (what is there, how). */
async function namesIn(report: string): Promise<{ lines: number; paths: Set<string> }> {
  const paths = new Set<string>()
  const listed = { '-': new Map<string, string>(), '+': new Map<string, string>() }
  let [lines, listing] = [0, false]
  for await (const line of createInterface({ input: createReadStream(report, 'utf8') })) {
    lines += 1
    const heading = /^│? ?[├│]─+ +(.*)$/.exec(line) ?? /^├── (.*)$/.exec(line)
    if (heading !== null && line.startsWith('├── ')) {
      listing = heading[1] === 'file list'
      if (!listing) addName(paths, heading[1] ?? '')
    }
    const entry = listing ? /^│ ([-+])(.*)$/.exec(line) : null
    if (entry !== null) {
      const member = /^(\S+ +\d* *\S+ +\S+ +\S+ +\d{4}-\d{2}-\d{2} [\d:.]+) (.*)$/.exec(entry[2] ?? '')
      const name = member?.[2]
        ?.replace(/ (?:->|link to) .*$/, '')
        .replace(/^\.\//, '')
        .replace(/\/$/, '')
      if (name !== undefined && name !== '') listed[entry[1] === '-' ? '-' : '+'].set(name, entry[2] ?? '')
    }
  }
  // A line that is on both sides only stands in another place: order of members is no difference of a path.
  for (const [name, entry] of [...listed['-'], ...listed['+']])
    if (listed['-'].get(name) !== listed['+'].get(name) && (listed['-'].get(name) === entry || listed['+'].get(name) === entry))
      paths.add(name)
  return { lines, paths }
}

function addName(paths: Set<string>, heading: string): void {
  const name = heading.replace(/^\.\//, '').replace(/\/$/, '')
  if (name !== '' && !name.includes(' vs ')) paths.add(name)
}
