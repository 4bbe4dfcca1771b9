import { copyFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { makeWhole, writeWhole } from '../../verifier/bytes/whole-file.ts'
import { packOci } from '../../verifier/compare/oci-image.ts'
import { writeOciLayout } from '../../verifier/compare/oci-layout.ts'
import type { Artifact } from '../../verifier/model/attempt.ts'
import { BUILD_MANIFEST_SCHEMA, BuildManifest } from '../../verifier/model/build-manifest.ts'
import { withPrefix } from '../../verifier/model/digest.ts'
import { encodeDocument } from '../../verifier/model/document.ts'
import { encodeLock } from '../../verifier/model/lock.ts'
import { decideCheck } from '../../verifier/model/verdict.ts'
import { BUILD_MANIFEST_FILE as MANIFEST } from './build-folder.ts'
import { judge } from './judge.ts'
import { claimOutput } from './output-folder.ts'
import type { Ports } from './ports.ts'
import { INPUTS, LOCK, type PublishedNames, publishedNames } from './published-names.ts'
import { firstBuilt, type RebuildCommand, type Rebuilt, rebuild } from './rebuild.ts'

export type BuildCommand = RebuildCommand & {
  /** Folder to write to; made, and to be empty. */
  readonly output: string
}

/** Builds a source as its publisher: artifacts, OCI layouts, lock and inputs, and last the manifest that names them all. */
export async function build(ports: Ports, command: BuildCommand): Promise<BuildManifest> {
  await using _output = await claimOutput(command.output)
  await using scratch = await ports.scratch()
  const rebuilt = await rebuild(ports, command, scratch.path)
  const { comparisons } = await judge(ports, rebuilt, { ...command, claims: [], claimed: null, scratch: scratch.path })
  const attempts = rebuilt.attempts.results.map(({ attempt }) => attempt)
  const decision = decideCheck({ recipeFindings: rebuilt.reading.findings, attempts, comparisons })
  const built = firstBuilt(rebuilt)
  const good = built !== undefined && (decision.verdict === 'repeatable' || attempts.length === 1)
  const verdict = good ? 'built' : decision.verdict === 'nondeterministic' ? 'nondeterministic' : (attempts.at(-1)?.outcome ?? 'refused')
  const manifest: BuildManifest = {
    schema: BUILD_MANIFEST_SCHEMA,
    verdict,
    reasons: good ? [] : [...decision.reasons],
    source: rebuilt.source,
    parameters: {
      architecture: rebuilt.architecture,
      sourceDateEpoch: rebuilt.reading.recipe.sourceDateEpoch ?? 0,
      snapshot: rebuilt.attempts.lock?.snapshot ?? rebuilt.reading.recipe.snapshot,
      builder: rebuilt.builder === null ? null : { digest: rebuilt.builder.digest, mkosi: rebuilt.builder.mkosi },
      sandbox: built?.attempt.sandbox?.digest ?? null,
      image: rebuilt.reading.recipe.imageConfig,
    },
    artifacts: [],
    lock: null,
    createdAt: ports.now(),
    tool: { name: 'bitwitness', version: ports.version },
  }
  if (!good) return manifest
  return await publish(ports, { manifest, rebuilt, files: built.files, artifacts: built.attempt.artifacts, output: command.output })
}

type Publication = {
  readonly manifest: BuildManifest
  readonly rebuilt: Rebuilt
  readonly files: ReadonlyMap<string, string>
  readonly artifacts: readonly Artifact[]
  readonly output: string
}

async function publish(ports: Ports, o: Publication): Promise<BuildManifest> {
  const artifacts: BuildManifest['artifacts'] = []
  const published = publishedNames(o.artifacts)
  for (const artifact of o.artifacts) artifacts.push(await publishArtifact(artifact, published.get(artifact.name) ?? NOTHING, o))
  const { lock } = o.rebuilt.attempts
  const digest = o.rebuilt.attempts.results[0]?.attempt.lock ?? null
  if (lock !== null) {
    await writeWhole(path.join(o.output, LOCK), encodeLock(lock))
    await ports.writeInputs({ lock, path: path.join(o.output, INPUTS) })
  }
  const manifest = { ...o.manifest, artifacts, lock: digest === null ? null : { file: LOCK, sha256: digest, inputs: INPUTS } }
  // Last: a folder with a manifest is a complete one.
  await writeWhole(path.join(o.output, MANIFEST), encodeDocument(BuildManifest, manifest))
  return manifest
}

const NOTHING: PublishedNames = { file: null, layout: null }

async function publishArtifact(artifact: Artifact, names: PublishedNames, o: Publication): Promise<BuildManifest['artifacts'][number]> {
  const { name, format, sha256, size, treeManifest, oci } = artifact
  const source = o.files.get(name)
  const { file, layout } = source === undefined ? NOTHING : names
  if (source !== undefined && file !== null) await move(source, path.join(o.output, file))
  if (layout !== null && file !== null) {
    const { architecture, reading } = o.rebuilt
    const image = packOci({
      layer: { sha256, size },
      created: reading.recipe.sourceDateEpoch ?? 0,
      architecture,
      config: reading.recipe.imageConfig,
    })
    await writeOciLayout(path.join(o.output, layout), image, path.join(o.output, file))
  }
  const claims = [...(format === 'oci' ? [] : [withPrefix(sha256)]), ...(oci === null ? [] : [`oci-manifest=${withPrefix(oci.manifest)}`])]
  return { name, format, sha256, size, treeManifest, oci, file, layout, claims }
}

/** Within a file system a rename; across, a copy that appears whole. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await makeWhole(to, (part) => copyFile(from, part))
  }
}
