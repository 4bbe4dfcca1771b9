import { mkdir, readdir, stat, utimes } from 'node:fs/promises'
import path from 'node:path'
import { readSmallFile } from '../bytes/small-file.ts'
import { writeWhole } from '../bytes/whole-file.ts'
import type { BlobStore } from '../model/blob-store.ts'
import type { Sha256 } from '../model/digest.ts'
import { Failure } from '../model/failure.ts'
import { BuilderImage, encodeBuilder } from './image-description.ts'

/** Whether this machine saw it being made. */
export type BuilderOrigin = 'made' | 'imported'

/** Builders that this machine knows. */
export interface BuilderStore {
  /** Newest first. */
  list(): Promise<readonly BuilderImage[]>
  /** By digest, with or without `sha256:`, or by its first 12 digits or more. Failures: `builder-unknown`, `builder-ambiguous`. */
  show(reference: string): Promise<BuilderImage>
  /**
   * The newest one that was made here, for this version of mkosi and of this definition if given; undefined where there is none. An
   * imported one is what its archive says it is: it builds only where it is named.
   */
  select(wanted: { mkosi: string; architecture: string; definition?: Sha256 }): Promise<BuilderImage | undefined>
  /**
   * Keeps a builder whose blobs are in the store; `builder-blob-missing` where one is not. Adding it again makes it the newest. What was
   * made here is never replaced by what was imported.
   */
  add(builder: BuilderImage, origin: BuilderOrigin): Promise<void>
}

/** Largest description that is read. */
const MAX_BYTES = 4 * 1024 * 1024

/** Opens a folder of `<digest>.json`, made if it is not there. */
export async function openBuilderStore(dir: string, blobs: BlobStore): Promise<BuilderStore> {
  await mkdir(dir, { recursive: true })
  return new BuilderFolder(dir, blobs)
}

class BuilderFolder implements BuilderStore {
  readonly #dir: string
  readonly #blobs: BlobStore

  constructor(dir: string, blobs: BlobStore) {
    this.#dir = dir
    this.#blobs = blobs
  }

  async list(): Promise<readonly BuilderImage[]> {
    return (await this.#found()).map(({ builder }) => builder)
  }

  async #found(): Promise<readonly { builder: BuilderImage; origin: BuilderOrigin; at: number }[]> {
    const names = new Set(await readdir(this.#dir))
    const files = [...names].flatMap((name) => {
      const [, digest, imported] = /^([0-9a-f]{64})(\.imported)?\.json$/.exec(name) ?? []
      if (digest === undefined || (imported !== undefined && names.has(`${digest}.json`))) return []
      return [{ file: path.join(this.#dir, name), digest, origin: imported === undefined ? ('made' as const) : ('imported' as const) }]
    })
    const found = await Promise.all(
      files.map(async ({ file, digest, origin }) => ({ builder: await readBuilder(file, digest), origin, at: (await stat(file)).mtimeMs })),
    )
    return found.toSorted((a, b) => b.at - a.at || (a.builder.digest < b.builder.digest ? -1 : 1))
  }

  async show(reference: string): Promise<BuilderImage> {
    const digits = reference.startsWith('sha256:') ? reference.slice('sha256:'.length) : reference
    const found = /^[0-9a-f]{12,64}$/.test(digits) ? (await this.list()).filter(({ digest }) => digest.startsWith(digits)) : []
    const [only, ...others] = found
    if (only !== undefined && others.length === 0) return only
    if (only !== undefined)
      throw new Failure({
        code: 'builder-ambiguous',
        message: 'more than one builder has a digest that begins so',
        hint: 'give more digits; bitwitness builder list shows them',
      })
    throw new Failure({
      code: 'builder-unknown',
      message: 'there is no builder of this digest here',
      hint: 'see which there are with bitwitness builder list',
    })
  }

  async select(wanted: { mkosi: string; architecture: string; definition?: Sha256 }): Promise<BuilderImage | undefined> {
    const fits = ({ mkosi, architecture, definition }: BuilderImage): boolean =>
      mkosi === wanted.mkosi &&
      architecture === wanted.architecture &&
      (wanted.definition === undefined || definition === wanted.definition)
    return (await this.#found()).find(({ builder, origin }) => origin === 'made' && fits(builder))?.builder
  }

  async add(builder: BuilderImage, origin: BuilderOrigin): Promise<void> {
    for (const sha256 of [builder.digest, builder.manifest, builder.layer.sha256, builder.lock])
      if ((await this.#blobs.size(sha256)) === undefined)
        throw new Failure({
          code: 'builder-blob-missing',
          message: 'a part of the builder is not in the store of blobs',
          hint: 'make the builder again, or import it again',
          data: { sha256 },
        })
    const file = path.join(this.#dir, `${builder.digest}${origin === 'made' ? '' : '.imported'}.json`)
    await writeWhole(file, encodeBuilder(builder))
    const now = new Date()
    await utimes(file, now, now)
  }
}

async function readBuilder(file: string, digest: string): Promise<BuilderImage> {
  const damaged = (cause: unknown): Failure =>
    new Failure({
      code: 'builder-description-damaged',
      message: `${path.basename(file)} does not describe a builder`,
      hint: 'remove the file from the folder builders/ and make or import the builder again',
      audience: 'operator',
      cause,
    })
  const read = await readSmallFile(file, { maxBytes: MAX_BYTES })
  if (read.bytes === null) throw damaged(read.cause)
  try {
    const builder = BuilderImage.parse(JSON.parse(read.bytes.toString('utf8')))
    if (builder.digest === digest) return builder
  } catch (cause) {
    throw damaged(cause)
  }
  throw damaged(undefined)
}
