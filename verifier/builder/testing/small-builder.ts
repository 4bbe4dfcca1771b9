import { digestOf } from '../../bytes/digest-of.ts'
import { packOci } from '../../compare/oci-image.ts'
import { encodeLock, INPUT_LOCK_SCHEMA, type InputLock } from '../../model/lock.ts'
import { rawMember, rawTar } from '../../tar/testing/raw-tar.ts'
import { BUILDER_IMAGE_SCHEMA, type BuilderImage } from '../image-description.ts'
import { type MemoryBlobs, memoryBlobs } from '../inputs/testing/memory-blobs.ts'

export type SmallBuilder = { readonly builder: BuilderImage; readonly blobs: MemoryBlobs; readonly lock: InputLock }

/** A builder of one package and one file, complete in its store. `seed` tells two of them apart. */
export async function smallBuilder(seed = 'a'): Promise<SmallBuilder> {
  const blobs = memoryBlobs()
  const put = async (bytes: Uint8Array): Promise<void> => void (await blobs.put(once(bytes)))
  const deb = Buffer.from(`package ${seed}`)
  const lock: InputLock = {
    schema: INPUT_LOCK_SCHEMA,
    architecture: 'amd64',
    snapshot: null,
    inputs: [
      {
        kind: 'package',
        archive: 'debian',
        path: 'pool/main/m/mkosi/mkosi_25.3-7_all.deb',
        sha256: digestOf(deb),
        size: deb.length,
        name: 'mkosi',
        version: '25.3-7',
        architecture: 'all',
      },
    ],
    absent: [],
  }
  const layer = rawTar(rawMember({ name: './seed' }, seed))
  const image = packOci({
    layer: { sha256: digestOf(layer), size: layer.length },
    created: 0,
    architecture: 'amd64',
    config: { user: '1000:1000', env: [], entrypoint: [], cmd: [], workingDir: '/', exposedPorts: [], labels: {} },
  })
  const lockText = Buffer.from(encodeLock(lock))
  for (const bytes of [deb, layer, image.config.bytes, image.manifest.bytes, lockText]) await put(bytes)
  const builder: BuilderImage = {
    schema: BUILDER_IMAGE_SCHEMA,
    digest: image.config.sha256,
    manifest: image.manifest.sha256,
    layer: image.layer,
    architecture: 'amd64',
    mkosi: '25.3',
    definition: digestOf('definition'),
    suite: 'trixie',
    lock: digestOf(lockText),
    packages: [{ name: 'mkosi', version: '25.3-7', architecture: 'all' }],
  }
  return { builder, blobs, lock }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
