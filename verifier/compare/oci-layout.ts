import { copyFile, link, mkdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../model/failure.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../model/oci-types.ts'
import { descriptor, type OciImage, stableJson } from './oci-image.ts'

export const OCI_LAYOUT_FILE = stableJson({ imageLayoutVersion: '1.0.0' })

/** index.json of a layout that holds this image alone; `repoTag` (`name:tag`) is written where engines look for it. */
export function ociIndex(image: OciImage, repoTag?: string): string {
  const manifest = descriptor(OCI_MANIFEST, { sha256: image.manifest.sha256, size: image.manifest.bytes.length })
  const tag = repoTag?.slice(repoTag.lastIndexOf(':') + 1)
  const annotations =
    repoTag === undefined ? {} : { annotations: { 'io.containerd.image.name': repoTag, 'org.opencontainers.image.ref.name': tag } }
  return stableJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...manifest, ...annotations }] })
}

/** manifest.json of a layout, for engines that know nothing else (Docker 20.10): `tar -C LAYOUT -c . | docker load` then works on all. */
export function dockerManifest(image: OciImage, repoTag?: string): string {
  const blob = (sha256: string): string => `blobs/sha256/${sha256}`
  return stableJson([
    { Config: blob(image.config.sha256), RepoTags: repoTag === undefined ? null : [repoTag], Layers: [blob(image.layer.sha256)] },
  ])
}

/**
 * Writes an OCI image layout (image-spec 1.1) into the new folder `dir`. The layer is hard-linked where the file system allows, else
 * copied; the caller has digested it. Rejects with `oci-layer-size` if the file is not as long as the image says.
 */
export async function writeOciLayout(dir: string, image: OciImage, layerPath: string): Promise<void> {
  await checkLayerSize(image, layerPath)
  const blobs = path.join(dir, 'blobs', 'sha256')
  await mkdir(dir)
  await mkdir(blobs, { recursive: true })
  await writeFile(path.join(blobs, image.config.sha256), image.config.bytes)
  await writeFile(path.join(blobs, image.manifest.sha256), image.manifest.bytes)
  const layer = path.join(blobs, image.layer.sha256)
  await link(layerPath, layer).catch(() => copyFile(layerPath, layer))
  await writeFile(path.join(dir, 'oci-layout'), OCI_LAYOUT_FILE)
  await writeFile(path.join(dir, 'manifest.json'), dockerManifest(image))
  // Last: a layout without its index is no layout.
  await writeFile(path.join(dir, 'index.json'), ociIndex(image))
}

export async function checkLayerSize(image: OciImage, layerPath: string): Promise<void> {
  const { size } = await stat(layerPath)
  if (size === image.layer.size) return
  throw new Failure({
    code: 'oci-layer-size',
    message: "the layer's file is not as long as the image says",
    hint: 'pack the image again from the file that is there',
    data: { expected: image.layer.size, actual: size },
  })
}
