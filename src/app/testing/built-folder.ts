import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { writeTar } from '../../../verifier/explain/testing/trees.ts'
import type { BuildManifest } from '../../../verifier/model/build-manifest.ts'
import { encodeLock, type InputLock } from '../../../verifier/model/lock.ts'

const curl = { name: 'curl', version: '7.88.1-1', architecture: 'amd64' }
const status = (names: readonly string[]): string =>
  names.map((name) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7.88.1-1\n\n`).join('')
const lock: InputLock = {
  schema: 'bitwitness/input-lock/v1',
  architecture: 'amd64',
  snapshot: null,
  inputs: [{ kind: 'package', archive: 'debian', path: 'pool/c/curl.deb', sha256: digestOf('deb'), size: 3, ...curl }],
  absent: [],
}

/** A folder as `build` writes it, with two packages in the image of which the lock names one. */
export async function writeBuiltFolder(
  folder: string,
  change: (manifest: BuildManifest) => unknown = (manifest) => manifest,
): Promise<BuildManifest> {
  const tar = await writeTar(path.join(folder, 'image.tar'), { 'var/lib/dpkg/status': status(['curl', 'own']) })
  const bytes = await readFile(tar)
  await writeFile(path.join(folder, 'inputs.lock.json'), encodeLock(lock))
  const manifest: BuildManifest = {
    schema: 'bitwitness/build-manifest/v1',
    verdict: 'built',
    reasons: [],
    source: { kind: 'archive', name: 'app', sha256: null, path: '.', treeDigest: digestOf('tree') },
    parameters: {
      architecture: 'amd64',
      sourceDateEpoch: 1701475200,
      snapshot: null,
      builder: null,
      sandbox: null,
      image: { entrypoint: [], cmd: [], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} },
    },
    artifacts: [
      {
        name: 'image.tar',
        format: 'tar',
        sha256: digestOf(bytes),
        size: bytes.length,
        treeManifest: null,
        oci: null,
        file: 'image.tar',
        layout: null,
        claims: [],
      },
    ],
    lock: { file: 'inputs.lock.json', sha256: digestOf(encodeLock(lock)), inputs: 'inputs.tar' },
    createdAt: '2026-11-24T10:00:00.000Z',
    tool: { name: 'bitwitness', version: '0.1.0' },
  }
  await writeFile(path.join(folder, 'build-manifest.json'), JSON.stringify(change(manifest)))
  return manifest
}
