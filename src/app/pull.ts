import { createWriteStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { descriptor, stableJson } from '../../verifier/compare/oci-image.ts'
import { OCI_LAYOUT_FILE } from '../../verifier/compare/oci-layout.ts'
import { type OciContents, readOciLayout } from '../../verifier/compare/oci-read.ts'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { type PinnedReference, pinnedName } from '../../verifier/model/image-reference.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../verifier/model/oci-types.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import type { ImageRegistry, ImageRepository, Manifest } from './image-registry.ts'
import { outputUnusable, requireEmpty } from './output-folder.ts'

export const PULL_REPORT_SCHEMA = 'bitwitness/pull-report/v1'

/** What was fetched from a registry. */
export const PullReport = z.strictObject({
  schema: z.literal(PULL_REPORT_SCHEMA),
  verdict: z.literal('pulled'),
  /** By digest. */
  image: z.string(),
  /** The OCI image layout. */
  folder: z.string(),
  layers: z.array(z.strictObject({ mediaType: z.string(), sha256: Sha256, size: z.int().nonnegative() })),
  /** Bytes of all of it. */
  size: z.int().nonnegative(),
})
export type PullReport = z.infer<typeof PullReport>

export type PullCommand = {
  readonly image: PinnedReference
  /** Folder for the layout; made, and to be empty. */
  readonly output: string
  /** Bytes of all of the image, at most. */
  readonly maxBytes: number
  readonly onBytes?: (done: number, total: number) => void
  readonly signal: AbortSignal
}

type PullPorts = { readonly registry: ImageRegistry }

/** Fetches an image by digest into an OCI image layout and says what it has. Rejects as `pullLayout` does. */
export async function pull(ports: PullPorts, command: PullCommand): Promise<PullReport> {
  const { manifest, config, layers } = await pullLayout(ports, command)
  const size = [manifest.bytes.length, config.bytes.length, ...layers.map((layer) => layer.size)].reduce((sum, one) => sum + one, 0)
  return {
    schema: PULL_REPORT_SCHEMA,
    verdict: 'pulled',
    image: pinnedName(command.image),
    folder: command.output,
    layers: layers.map(({ mediaType, sha256, size: bytes }) => ({ mediaType, sha256, size: bytes })),
    size,
  }
}

/**
 * Fetches an image by digest, each byte held against the digest and the size that name it, into an OCI image layout (image-spec 1.1) that
 * appears whole or not at all. Rejects with `output-not-empty`, `output-unusable`, `registry-image-unsupported` for what is no image of one
 * platform, `registry-image-too-large`, and other `registry-…` failures.
 */
export async function pullLayout({ registry }: PullPorts, command: PullCommand): Promise<OciContents> {
  const { image, output, signal } = command
  await requireEmpty(output)
  const repository = registry.repository(image, { access: 'pull' })
  const manifest = await repository.manifest(image.digest, signal)
  if (manifest === null)
    throw new Failure({
      code: 'registry-not-found',
      message: 'the registry has no such image, or shows it only to others',
      hint: 'look for a typing error; log in if it is private',
    })
  const blobs = blobsOf(manifest, command.maxBytes)
  const folder = path.resolve(output)
  const part = await mkdtemp(`${folder}.part-`).catch(refuse)
  try {
    await writeLayout({ part, repository, manifest, blobs, command })
    const contents = await readOciLayout(part)
    await chmod(part, 0o755)
    await rename(part, folder).catch(refuse)
    const at = (file: string): string => path.join(folder, path.relative(part, file))
    return { ...contents, layers: contents.layers.map((layer) => ({ ...layer, path: at(layer.path) })) }
  } finally {
    await rm(part, { recursive: true, force: true })
  }
}

const Reference = z.looseObject({
  mediaType: z.string(),
  digest: z
    .string()
    .startsWith('sha256:')
    .transform((text) => text.slice('sha256:'.length))
    .pipe(Sha256),
  size: z.int().nonnegative(),
})
const ImageManifest = z.looseObject({ config: Reference.extend({ mediaType: z.literal(OCI_CONFIG) }), layers: z.array(Reference).max(128) })

type Blob = { readonly sha256: Sha256; readonly size: number }

/** What the manifest names, each blob once. */
function blobsOf({ mediaType, bytes }: Manifest, maxBytes: number): readonly Blob[] {
  const parsed = ImageManifest.safeParse(parseStrictJson(bytes))
  if (mediaType !== OCI_MANIFEST || !parsed.success)
    throw new Failure({
      code: 'registry-image-unsupported',
      message: 'it is not an OCI image of one platform',
      hint: 'give the digest of the manifest of one platform: the digest of an index names several images',
    })
  const named = [parsed.data.config, ...parsed.data.layers].map(({ digest, size }) => ({ sha256: digest, size }))
  const blobs = [...new Map(named.map((blob) => [blob.sha256, blob])).values()]
  if (blobs.reduce((sum, { size }) => sum + size, 0) > maxBytes)
    throw new Failure({
      code: 'registry-image-too-large',
      message: 'the image is larger than is fetched',
      hint: 'raise BITWITNESS_LIMIT_OUTPUT, or give the bytes as a file',
      data: { limit: maxBytes },
    })
  return blobs
}

async function writeLayout(o: {
  readonly part: string
  readonly repository: ImageRepository
  readonly manifest: Manifest
  readonly blobs: readonly Blob[]
  readonly command: PullCommand
}): Promise<void> {
  const { part, repository, manifest, blobs, command } = o
  const folder = path.join(part, 'blobs', 'sha256')
  await mkdir(folder, { recursive: true })
  const total = blobs.reduce((sum, { size }) => sum + size, 0)
  let done = 0
  for (const blob of blobs) {
    const counted = async function* (): AsyncGenerator<Uint8Array, void, void> {
      for await (const bytes of repository.blob(blob, command.signal)) {
        done += bytes.length
        command.onBytes?.(done, total)
        yield bytes
      }
    }
    const file = createWriteStream(path.join(folder, blob.sha256), { flags: 'wx' })
    await pipeline(Readable.from(counted(), { objectMode: false }), file, { signal: command.signal })
  }
  await writeFile(path.join(folder, manifest.sha256), manifest.bytes, { flag: 'wx' })
  await writeFile(path.join(part, 'oci-layout'), OCI_LAYOUT_FILE)
  const entry = descriptor(manifest.mediaType, { sha256: manifest.sha256, size: manifest.bytes.length })
  await writeFile(path.join(part, 'index.json'), stableJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] }))
}

function refuse(cause: unknown): never {
  throw outputUnusable(cause)
}
