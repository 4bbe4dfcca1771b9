import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { writeBuiltFolder } from '../../src/app/testing/built-folder.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { writeTar } from '../../verifier/explain/testing/trees.ts'
import type { BuildManifest } from '../../verifier/model/build-manifest.ts'

/**
 * Stands for the program: `build`, which takes an engine, writes a folder as it would, of the files that FAKE_TREE says (JSON), or fails with the
 * verdict FAKE_VERDICT, and prints FAKE_LOG; every other command is the real one. Notes in FAKE_RECORD what it was called with.
 */
const { FAKE_TREE: tree, FAKE_VERDICT: verdict, FAKE_LOG: log, FAKE_RECORD: record } = process.env
const args = process.argv.slice(2)
if (record !== undefined)
  writeFileSync(record, `${JSON.stringify({ args, cwd: process.cwd(), environment: Object.keys(process.env).toSorted() })}\n`, {
    flag: 'a',
  })
process.stderr.write(log ?? '')

if (args[0] === 'build') process.exitCode = await build(args[args.indexOf('--output') + 1] ?? '')
else {
  const main = path.join(import.meta.dirname, '../../src/bin/main.ts')
  process.exitCode = spawnSync(process.execPath, [main, ...args], { stdio: 'inherit' }).status ?? 3
}

async function build(folder: string): Promise<number> {
  mkdirSync(folder, { recursive: true })
  const manifest = await writeBuiltFolder(folder)
  const changed = tree === undefined ? manifest : await withTree(folder, manifest, JSON.parse(tree) as Record<string, string>)
  const claims = changed.artifacts.map((one) => ({ ...one, claims: [`sha256:${one.sha256}`, `oci-manifest=sha256:${digestOf('image')}`] }))
  const failed = {
    ...changed,
    verdict: verdict ?? 'built',
    reasons: [{ code: 'mkosi-failed', message: 'E: `|<b>' }],
    artifacts: [],
    lock: null,
  }
  const answer = verdict === undefined ? { ...changed, artifacts: claims } : failed
  if (verdict === undefined) writeFileSync(path.join(folder, 'build-manifest.json'), JSON.stringify(answer))
  process.stdout.write(JSON.stringify(answer))
  return verdict === undefined ? 0 : 1
}

async function withTree(folder: string, manifest: BuildManifest, files: Record<string, string>): Promise<BuildManifest> {
  const bytes = await readFile(await writeTar(path.join(folder, 'image.tar'), files))
  return { ...manifest, artifacts: manifest.artifacts.map((one) => ({ ...one, sha256: digestOf(bytes), size: bytes.length })) }
}
