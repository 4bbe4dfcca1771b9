import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { flipByte, sha256Of } from '../tools/demo-files.ts'
import { packOci } from '../verifier/compare/oci-image.ts'
import { writeOciLayout } from '../verifier/compare/oci-layout.ts'
import { BuildManifest } from '../verifier/model/build-manifest.ts'
import { parseSha256, type Sha256 } from '../verifier/model/digest.ts'

/**
 * Writes the folder of another build: of the image, in which one byte of one file, where `within` stands, is another. All else is as in
 * `published`, and every digest is right. Gives that of its manifest.
 */
export async function writeFlippedImage(published: string, folder: string, within: string): Promise<Sha256> {
  const manifest = BuildManifest.parse(JSON.parse(await readFile(path.join(published, 'build-manifest.json'), 'utf8')))
  const [artifact] = manifest.artifacts
  if (artifact?.file == null || artifact.layout === null) throw new Error('the build left no image')
  await mkdir(folder)
  const tar = path.join(folder, artifact.file)
  await copyFile(path.join(published, artifact.file), tar)
  await flipByte(tar, within)
  const sha256 = parseSha256(await sha256Of(tar))
  const { architecture, sourceDateEpoch: created, image: config } = manifest.parameters
  const image = packOci({ layer: { sha256, size: artifact.size }, created, architecture, config })
  await writeOciLayout(path.join(folder, artifact.layout), image, tar)
  const oci = { manifest: image.manifest.sha256, config: image.config.sha256, layer: sha256 }
  const changed: BuildManifest = { ...manifest, lock: null, artifacts: [{ ...artifact, sha256, oci, treeManifest: null }] }
  await writeFile(path.join(folder, 'build-manifest.json'), JSON.stringify(changed))
  return oci.manifest
}
