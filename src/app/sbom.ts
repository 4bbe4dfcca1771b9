import path from 'node:path'
import { z } from 'zod'
import { sbomOf } from '../../attestations/sbom/sbom.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { writeWhole } from '../../verifier/bytes/whole-file.ts'
import { readImagePackages } from '../../verifier/explain/image-packages.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { packageKey } from '../../verifier/model/image-packages.ts'
import { provenFile, readBuildFolder } from './build-folder.ts'
import { treeOf } from './tree-artifact.ts'

export const SBOM_SCHEMA = 'bitwitness/sbom/v1'

/** That a bill of materials was written, and of what. */
export const SbomWritten = z.strictObject({
  schema: z.literal(SBOM_SCHEMA),
  verdict: z.literal('written'),
  /** The CycloneDX document, and the sha256 of its bytes. */
  file: z.string(),
  sha256: Sha256,
  image: z.strictObject({ name: z.string(), sha256: Sha256, ociManifest: Sha256.nullable() }),
  packages: z.strictObject({
    debian: z.int().nonnegative(),
    /** Those of them that the input lock does not name: nothing that was seen vouches for their bytes. */
    unlocked: z.int().nonnegative(),
    npm: z.int().nonnegative(),
  }),
})
export type SbomWritten = z.infer<typeof SbomWritten>

export type SbomCommand = {
  /** That `build` wrote. */
  readonly folder: string
  /** Name of the artifact; null: the only one that is a tree. */
  readonly artifact: string | null
  /** File to write to; null: `<artifact>.cdx.json` in the folder. */
  readonly output: string | null
  /** Of this program. */
  readonly version: string
  readonly signal: AbortSignal
}

/** Writes the bill of materials of a build's image. Needs no engine. Failures: `artifact-unknown`, `sbom-unwritten`, of folder and image. */
export async function sbom(command: SbomCommand): Promise<SbomWritten> {
  const built = await readBuildFolder(command.folder)
  const artifact = treeOf(built, command.artifact)
  const packages = await readImagePackages({ file: await provenFile(built, artifact, command.signal), signal: command.signal })
  const image = { name: artifact.name, sha256: artifact.sha256, ociManifest: artifact.oci?.manifest ?? null }
  const { sourceDateEpoch } = built.manifest.parameters
  const text = sbomOf({ image, packages, lock: built.lock, created: sourceDateEpoch, version: command.version })
  const file = command.output ?? path.join(command.folder, `${artifact.name}.cdx.json`)
  await write(file, text)
  const locked = new Set((built.lock?.lock.inputs ?? []).flatMap((one) => (one.kind === 'package' ? [packageKey(one)] : [])))
  const unlocked = packages.debian.filter((one) => !locked.has(packageKey(one))).length
  return {
    schema: SBOM_SCHEMA,
    verdict: 'written',
    file,
    sha256: digestOf(text),
    image,
    packages: { debian: packages.debian.length, unlocked, npm: packages.npm.length },
  }
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeWhole(file, text)
  } catch (cause) {
    throw new Failure({
      code: 'sbom-unwritten',
      message: 'the bill of materials could not be written',
      hint: 'name a file in a folder that is there with --output',
      cause,
    })
  }
}
