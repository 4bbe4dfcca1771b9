import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { SbomWritten } from '../src/app/sbom.ts'
import type { BuildManifest } from '../verifier/model/build-manifest.ts'
import type { Inputs } from './inputs.ts'
import type { Program } from './program.ts'

/** What was built here, with what it consists of, where that can be said. */
export type BuiltHere = {
  readonly exit: number
  /** Null where the program failed: it said why in the log. */
  readonly manifest: BuildManifest | null
  readonly folder: string
  readonly sbom: SbomWritten | null
}

/** Builds the recipe as its publisher, and writes its bill of materials. */
export async function buildHere(program: Program, inputs: Inputs, folder: string): Promise<BuiltHere> {
  const { workspace, recipe, buildAttempts } = inputs
  // `./` keeps a folder from being read as a source of another kind, or as a flag.
  const source = `./${recipe}`
  const built = await program.document<BuildManifest>('build', ['--output', folder, '--attempts', String(buildAttempts), '--', source], {
    cwd: workspace,
  })
  if (built.exit !== 0) return { exit: built.exit, manifest: shown(built.value), folder, sbom: null }
  // What is no tree, or several, has no one bill.
  const bill = await program.document<SbomWritten>('sbom', ['--', folder], { cwd: workspace })
  const manifest = JSON.parse(await readFile(path.join(folder, 'build-manifest.json'), 'utf8')) as BuildManifest
  return { exit: 0, manifest, folder, sbom: bill.exit === 0 ? bill.value : null }
}

/** An error document is none. */
function shown(value: BuildManifest | null): BuildManifest | null {
  return value?.schema === 'bitwitness/build-manifest/v1' ? value : null
}

/** Of all artifacts of a build, as `--claim` takes them. */
export function claimsOf(manifest: BuildManifest): readonly string[] {
  return manifest.artifacts.flatMap(({ claims }) => claims)
}
