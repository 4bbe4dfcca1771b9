import { z } from 'zod'
import { digestOf } from '../bytes/digest-of.ts'
import type { BlobStore } from '../model/blob-store.ts'
import { type Sha256, withPrefix } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { jsonOf } from '../model/json-of.ts'
import { type InputLock, MAX_LOCK_BYTES } from '../model/lock.ts'
import { readBlob } from './image-archive.ts'
import { BuilderImage, encodeBuilder } from './image-description.ts'
import { checkMkosi, checkPackages } from './image-packages.ts'
import { parseLock } from './inputs/parse-lock.ts'

export const MAX_DESCRIPTION = 4 << 20
/** Of an image's config and manifest. */
export const MAX_SMALL_BLOB = 1 << 20
export const MAX_LAYER = 4 * 2 ** 30

/** The blobs that a builder is made of, beside its description. */
export function partsOfBuilder({ digest, manifest, layer, lock }: BuilderImage): readonly Sha256[] {
  return [digest, manifest, layer.sha256, lock]
}

/** Undefined where the bytes describe no builder, or in another way than Bitwitness writes it. */
export function describedBuilder(bytes: Uint8Array): BuilderImage | undefined {
  const text = Buffer.from(bytes).toString('utf8')
  const parsed = BuilderImage.safeParse(jsonOf(text))
  return parsed.success && encodeBuilder(parsed.data) === text ? parsed.data : undefined
}

/** Reads a builder's lock; gives what is wrong with it as text. Also throws `builder-packages-differ`, `builder-mkosi-version`, `input-lock-malformed`. */
export function lockOfBuilder(builder: BuilderImage, text: Uint8Array): InputLock | string {
  if (digestOf(text) !== builder.lock) return "it is not the builder's lock"
  const lock = parseLock(Buffer.from(text).toString('utf8'))
  checkPackages(builder.packages, lock)
  checkMkosi(builder.packages, builder.mkosi)
  return lock.architecture === builder.architecture ? lock : 'builder and lock are of different architectures'
}

const Config = z.object({ rootfs: z.strictObject({ type: z.literal('layers'), diff_ids: z.tuple([z.string()]) }) })
const Descriptor = z.object({ digest: z.string(), size: z.int() })
const Manifest = z.object({ config: Descriptor, layers: z.tuple([Descriptor]) })

/** What is wrong with config and manifest, which are to name this layer and no other; undefined: nothing. */
export async function imageObjection(builder: BuilderImage, blobs: BlobStore): Promise<string | undefined> {
  const config = Config.safeParse(jsonOf((await readBlob(blobs, builder.digest)).toString('utf8')))
  const manifest = Manifest.safeParse(jsonOf((await readBlob(blobs, builder.manifest)).toString('utf8')))
  const layer = withPrefix(builder.layer.sha256)
  if (!config.success || config.data.rootfs.diff_ids[0] !== layer) return 'its config names another layer'
  const [described] = manifest.success ? manifest.data.layers : []
  if (!manifest.success || manifest.data.config.digest !== withPrefix(builder.digest)) return 'its manifest names another config'
  return described?.digest !== layer || described.size !== builder.layer.size ? 'its manifest names another layer' : undefined
}

/**
 * The builder that a description in the store stands for, all of whose parts are there. That its layer was made from its lock only a
 * rebuild shows; which builders count is for a policy to say, by digest. Fails with `blob-missing`, `builder-unbelievable` and as
 * `lockOfBuilder` does.
 */
export async function storedBuilder(description: Sha256, blobs: BlobStore): Promise<BuilderImage> {
  const builder = describedBuilder(await within(blobs, description, MAX_DESCRIPTION))
  if (builder === undefined) throw unbelievable('its description is none')
  const { layer } = builder
  const lock = lockOfBuilder(builder, await within(blobs, builder.lock, MAX_LOCK_BYTES))
  if (typeof lock === 'string') throw unbelievable(lock)
  for (const small of [builder.digest, builder.manifest]) await within(blobs, small, MAX_SMALL_BLOB)
  if (layer.size > MAX_LAYER || (await blobs.size(layer.sha256)) !== layer.size) throw unbelievable('its layer has another size')
  const objection = await imageObjection(builder, blobs)
  if (objection !== undefined) throw unbelievable(objection)
  return builder
}

async function within(blobs: BlobStore, sha256: Sha256, max: number): Promise<Buffer> {
  if (((await blobs.size(sha256)) ?? 0) > max) throw unbelievable('a part of it is too large')
  return await readBlob(blobs, sha256)
}

function unbelievable(what: string): Failure {
  return new Failure({
    code: 'builder-unbelievable',
    message: `the builder is not what it is said to be: ${what}`,
    hint: 'make it again, or import it again where it comes from: bitwitness builder import',
  })
}
