import path from 'node:path'
import { readProof } from '../../../attestations/proof/read-proof.ts'
import { listedPackages } from '../../../attestations/sbom/listed-packages.ts'
import { parseLock } from '../../../verifier/builder/inputs/parse-lock.ts'
import { namedChunks, readNamedFile } from '../../../verifier/bytes/named-file.ts'
import { readImagePackages } from '../../../verifier/explain/image-packages.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { ImagePackages } from '../../../verifier/model/image-packages.ts'
import { INPUT_LOCK_SCHEMA, type InputLock, MAX_LOCK_BYTES } from '../../../verifier/model/lock.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import { parseStrictJson } from '../../../verifier/model/strict-json.ts'
import { provenFile, readBuildFolder } from '../build-folder.ts'
import { type ArtifactRoom, openArtifact } from '../opened-artifact.ts'
import { treeOf } from '../tree-artifact.ts'
import { kindOf } from './file-kind.ts'
import type { ListedPackage } from './listed-package.ts'

/** What is known of an image. Null: nothing. */
export type ImageSide = {
  /** Installed packages. */
  readonly packages: readonly ListedPackage[] | null
  /** Packages that its build took. */
  readonly inputs: readonly ListedPackage[] | null
  /** Blob of its tree manifest. */
  readonly manifest: Sha256 | null
  /** Its tar, uncompressed. */
  readonly file: string | null
}

const NOTHING: ImageSide = { packages: null, inputs: null, manifest: null, file: null }

type SideRoom = ArtifactRoom & {
  /** Artifact to look at, where a build or a proof has several that are trees. */
  readonly artifact: string | null
  /** `older` or `newer`: for names in the scratch folder. */
  readonly name: string
}

/**
 * Reads what is known of one image from files that describe it together: a folder that `build` wrote, a proof, a tar, a tree manifest, a
 * bill of materials, an input lock. Failures: `image-description-unknown`, `image-described-twice` and those of each kind.
 */
export async function readImageSide(files: readonly string[], room: SideRoom): Promise<ImageSide> {
  let side = NOTHING
  for (const [index, file] of files.entries()) side = joined(side, await readOne(file, { ...room, name: `${room.name}-${index}` }), file)
  return side
}

function joined(known: ImageSide, found: ImageSide, file: string): ImageSide {
  const keys = ['packages', 'inputs', 'manifest', 'file'] as const
  if (keys.some((key) => known[key] !== null && found[key] !== null))
    throw new Failure({
      code: 'image-described-twice',
      message: `${shownName(file)} says again what another file says of the same image`,
      hint: 'give each of tree manifest, bill of materials, lock and tar once for an image; a build folder and a proof hold several of them',
    })
  return Object.fromEntries(keys.map((key) => [key, known[key] ?? found[key]])) as ImageSide
}

async function readOne(file: string, room: SideRoom): Promise<ImageSide> {
  switch (await kindOf(file)) {
    case 'folder':
      return await ofBuild(file, room)
    case 'proof':
      return await ofProof(file, room)
    case 'tree-manifest': {
      const { sha256 } = await room.blobs.put(namedChunks(file, { what: 'the tree manifest', signal: room.signal }))
      return { ...NOTHING, manifest: sha256 }
    }
    case 'json':
      return ofJson(await readNamedFile(file, { what: 'the document', maxBytes: MAX_LOCK_BYTES, signal: room.signal }), file)
    case 'other':
      return await ofTar(file, room)
  }
}

async function ofBuild(folder: string, room: SideRoom): Promise<ImageSide> {
  const built = await readBuildFolder(folder)
  const file = await provenFile(built, treeOf(built, room.artifact), room.signal)
  return { ...(await ofTar(file, room)), inputs: built.lock === null ? null : packagesOfLock(built.lock.lock) }
}

async function ofTar(file: string, room: SideRoom): Promise<ImageSide> {
  const opened = await openArtifact(room, file, room.name)
  if (opened.canonical === null) throw unknown(file)
  return { ...NOTHING, manifest: opened.canonical.treeManifest, file: opened.file, packages: await installed(opened.file, room.signal) }
}

/** An image without a package database has no list of packages, which is no failure. */
async function installed(file: string, signal: AbortSignal): Promise<readonly ListedPackage[] | null> {
  try {
    return packagesOfImage(await readImagePackages({ file, signal }))
  } catch (error) {
    if (error instanceof Failure && error.code === 'package-database-missing') return null
    throw error
  }
}

async function ofProof(file: string, { blobs, artifact, signal }: SideRoom): Promise<ImageSide> {
  const { proof } = await readProof(namedChunks(file, { what: 'the proof', signal }), {
    async carry({ role, sha256 }, bytes) {
      if (role === 'tree-manifest') await blobs.put(bytes, sha256)
      else for await (const _ of bytes);
    },
  })
  const trees = (proof.report.attempts.find(({ outcome }) => outcome === 'built')?.artifacts ?? []).filter(
    ({ name, treeManifest }) => treeManifest !== null && (artifact === null || name === artifact),
  )
  const carried = new Set(proof.content.treeManifests.map(({ sha256 }) => sha256))
  const manifest = trees.length === 1 ? (trees[0]?.treeManifest ?? null) : null
  return {
    packages: proof.content.sbom === null ? null : listedPackages(parseStrictJson(proof.content.sbom)),
    inputs: proof.lock === null ? null : packagesOfLock(proof.lock),
    manifest: manifest !== null && carried.has(manifest) ? manifest : null,
    file: null,
  }
}

function ofJson(bytes: Buffer, file: string): ImageSide {
  const value = parseStrictJson(bytes, { maxBytes: MAX_LOCK_BYTES, maxDepth: 64 })
  if (typeof value === 'object' && value !== null && 'schema' in value && value.schema === INPUT_LOCK_SCHEMA)
    return { ...NOTHING, inputs: packagesOfLock(parseLock(bytes.toString('utf8'))) }
  const packages = listedPackages(value)
  if (packages === null) throw unknown(file)
  return { ...NOTHING, packages }
}

function packagesOfImage({ debian, npm }: ImagePackages): ListedPackage[] {
  return [
    ...debian.map(({ name, version, architecture }) => ({ ecosystem: 'debian' as const, name, version, architecture })),
    ...npm.map(({ name, version }) => ({ ecosystem: 'npm' as const, name, version, architecture: null })),
  ]
}

function packagesOfLock({ inputs }: InputLock): ListedPackage[] {
  return inputs.flatMap((input) =>
    input.kind === 'package'
      ? [{ ecosystem: 'debian' as const, name: input.name, version: input.version, architecture: input.architecture }]
      : [],
  )
}

function unknown(file: string): Failure {
  return new Failure({
    code: 'image-description-unknown',
    message: `${shownName(path.basename(file))} is nothing that describes an image`,
    hint: 'give a folder that build wrote, a proof, a tar, a tree manifest, a bill of materials in CycloneDX or an input lock',
  })
}
