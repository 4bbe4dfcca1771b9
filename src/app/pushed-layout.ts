import { createReadStream } from 'node:fs'
import path from 'node:path'
import { packOci } from '../../verifier/compare/oci-image.ts'
import { readOciLayout } from '../../verifier/compare/oci-read.ts'
import type { BuildManifest } from '../../verifier/model/build-manifest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { OCI_LAYER, OCI_MANIFEST } from '../../verifier/model/oci-types.ts'
import type { BuildFolder } from './build-folder.ts'
import type { BlobSource, Manifest } from './image-registry.ts'

export type ImageArtifact = BuildManifest['artifacts'][number] & {
  readonly file: string
  readonly layout: string
  readonly oci: NonNullable<BuildManifest['artifacts'][number]['oci']>
}

export type PushedLayout = {
  readonly manifest: Manifest
  readonly config: BlobSource
  readonly layer: BlobSource
}

/** The artifact that is to be pushed: the one named, or the only one with an image layout. Throws `artifact-unknown`. */
export function imageOf({ manifest }: BuildFolder, wanted: string | null): ImageArtifact {
  const images = manifest.artifacts.flatMap((one): ImageArtifact[] => {
    const { file, layout, oci } = one
    return file === null || layout === null || oci === null ? [] : [{ ...one, file, layout, oci }]
  })
  const [only, second] = wanted === null ? images : images.filter(({ name }) => name === wanted)
  if (only !== undefined && second === undefined) return only
  throw new Failure({
    code: 'artifact-unknown',
    message: 'the build has no such artifact with an image layout, or several and none was named',
    hint: "name one of the build's with --artifact: tar and directory artifacts have a layout",
  })
}

/**
 * The image layout of an artifact, each byte read and held against the digest that names it, and the digests against the build manifest's.
 * The one layer is the artifact itself, uncompressed, and the image is what follows from it and from the parameters in the manifest.
 * Rejects with `layout-differs`, and as `readOciLayout` does.
 */
export async function readPushedLayout(built: BuildFolder, { layout, oci, sha256, size }: ImageArtifact): Promise<PushedLayout> {
  const { architecture, sourceDateEpoch: created, image } = built.manifest.parameters
  const packed = packOci({ layer: { sha256, size }, created, architecture, config: image })
  const contents = await readOciLayout(path.join(built.folder, layout))
  const [layer, ...others] = contents.layers
  const same =
    contents.manifest.sha256 === oci.manifest &&
    contents.manifest.sha256 === packed.manifest.sha256 &&
    contents.config.sha256 === oci.config &&
    layer !== undefined &&
    others.length === 0 &&
    layer.sha256 === oci.layer &&
    layer.sha256 === sha256 &&
    layer.size === size &&
    layer.mediaType === OCI_LAYER
  if (!same)
    throw new Failure({
      code: 'layout-differs',
      message: 'the image layout in the build folder is not the one that its manifest names',
      hint: 'build again: somebody changed the layout, or the manifest is of another build',
    })
  const config = contents.config.bytes
  return {
    manifest: { mediaType: OCI_MANIFEST, ...contents.manifest },
    config: { sha256: contents.config.sha256, size: config.length, open: (from, to) => slice(config, from, to) },
    layer: { sha256: layer.sha256, size: layer.size, open: (from, to) => fileSlice(layer.path, from, to) },
  }
}

async function* slice(bytes: Uint8Array, from: number, to: number): AsyncGenerator<Uint8Array, void, void> {
  yield bytes.subarray(from, to)
}

/** Reads while it is sent: the file may have changed since it was looked at, which the registry sees by the digest, and its length we. */
async function* fileSlice(file: string, from: number, to: number): AsyncGenerator<Uint8Array, void, void> {
  let left = to - from
  if (left === 0) return
  try {
    for await (const part of createReadStream(file, { start: from, end: to - 1, highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      left -= part.length
      yield part
    }
  } catch {
    throw changed()
  }
  if (left > 0) throw changed()
}

function changed(): Failure {
  return new Failure({
    code: 'layout-changed',
    message: 'the image layout changed while it was pushed',
    hint: 'run it again once nothing writes into the build folder',
  })
}
