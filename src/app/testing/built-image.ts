import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { packOci } from '../../../verifier/compare/oci-image.ts'
import { writeOciLayout } from '../../../verifier/compare/oci-layout.ts'
import type { BuildManifest } from '../../../verifier/model/build-manifest.ts'
import type { ImageConfig } from '../../../verifier/model/recipe.ts'

export const IMAGE_CONFIG: ImageConfig = {
  entrypoint: [],
  cmd: ['/usr/bin/node', '/opt/app/server.js'],
  workingDir: '/opt/app',
  user: null,
  env: ['PRICE=5$'],
  exposedPorts: ['3000/tcp'],
  labels: {},
}

/** A folder as `build` writes it, with an image whose one layer is `layer`. */
export async function writeBuiltImage(
  folder: string,
  layer: Uint8Array,
  change: (manifest: BuildManifest) => unknown = (manifest) => manifest,
): Promise<BuildManifest> {
  await mkdir(folder, { recursive: true })
  const sha256 = digestOf(layer)
  const created = 1701475200
  const image = packOci({ layer: { sha256, size: layer.length }, created, architecture: 'amd64', config: IMAGE_CONFIG })
  await writeFile(path.join(folder, 'image.tar'), layer)
  await writeOciLayout(path.join(folder, 'image.tar.oci'), image, path.join(folder, 'image.tar'))
  const manifest: BuildManifest = {
    schema: 'bitwitness/build-manifest/v1',
    verdict: 'built',
    reasons: [],
    source: { kind: 'archive', name: 'app', sha256: null, path: '.', treeDigest: digestOf('tree') },
    parameters: {
      architecture: 'amd64',
      sourceDateEpoch: created,
      snapshot: null,
      builder: null,
      sandbox: null,
      image: IMAGE_CONFIG,
    },
    artifacts: [
      {
        name: 'image.tar',
        format: 'tar',
        sha256,
        size: layer.length,
        treeManifest: null,
        oci: { manifest: image.manifest.sha256, config: image.config.sha256, layer: sha256 },
        file: 'image.tar',
        layout: 'image.tar.oci',
        claims: [],
      },
    ],
    lock: null,
    createdAt: '2026-11-24T10:00:00.000Z',
    tool: { name: 'bitwitness', version: '0.1.0' },
  }
  await writeFile(path.join(folder, 'build-manifest.json'), JSON.stringify(change(manifest)))
  return manifest
}
