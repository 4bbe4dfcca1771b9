import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { WorkerJob } from '../../src/app/service/worker-protocol.ts'
import { openBlobFolder } from '../../src/storage/blob-folder.ts'
import { WORKER_KEY_NAME } from '../../src/worker-auth/worker-key.ts'
import { writeInputsArchive } from '../../verifier/builder/inputs/inputs-archive.ts'
import { parseLock } from '../../verifier/builder/inputs/parse-lock.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { pinSource } from '../../verifier/source/pin-source.ts'
import { OWN_ACCESS } from '../../verifier/source/source-ref.ts'
import { tar } from '../../verifier/source/testing/tar.ts'
import { root } from '../repository.ts'
import { standInBuilder } from '../stand-in-builder.ts'
import { RECIPE } from '../worker-room.ts'
import type { ActorOptions } from './actor.ts'
import { type Published, publishedOf } from './published.ts'
import type { PlannedSubmission } from './submission-plan.ts'
import type { WorkerPlace, Workshop } from './workshop.ts'

/** A stand-in for the builder, for publishers and workers alike: a build takes milliseconds. */
export class StandInWorkshop implements Workshop {
  readonly engine = null
  readonly #folder: string
  readonly #blobs: BlobStore

  private constructor(folder: string, blobs: BlobStore) {
    this.#folder = folder
    this.#blobs = blobs
  }

  static async open(folder: string): Promise<StandInWorkshop> {
    await mkdir(path.join(folder, 'work'), { recursive: true, mode: 0o700 })
    return new StandInWorkshop(folder, await openBlobFolder(path.join(folder, 'blobs')))
  }

  async publish(planned: PlannedSubmission, callback: string): Promise<Published> {
    const { character, number } = planned
    const archive = tar(...Object.entries(filesOf(planned)).map(([name, body]) => ({ path: `app/${name}`, body })))
    const built = await this.#build(archive, number)
    const inputs = character === 'locked' && built !== undefined ? await this.#inputs(built.lock, number) : undefined
    return publishedOf(planned, callback, { archive, built: built?.sha256, inputs })
  }

  async prepare(): Promise<void> {}

  worker({ home, url }: WorkerPlace): Pick<ActorOptions, 'args' | 'environment' | 'isUp'> {
    const key = path.join(home, 'keys', WORKER_KEY_NAME)
    return {
      args: [path.join(root, 'test/worker-child.ts'), url.href, home, key, '20000'],
      environment: {},
      isUp: (line) => line.startsWith('{"kind":"up"'),
    }
  }

  async left(): Promise<readonly string[]> {
    return []
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Undefined where nothing is built that could be claimed. */
  async #build(archive: Buffer, number: number): Promise<{ readonly sha256: Sha256; readonly lock: Sha256 } | undefined> {
    const file = path.join(this.#folder, `source-${number}.tar`)
    await writeFile(file, archive)
    const work = path.join(this.#folder, 'work')
    await using tree = await pinSource({ kind: 'archive', file, path: '.' }, { scratch: work, access: OWN_ACCESS })
    const { sha256 } = await this.#blobs.put(tree.tar())
    const id = crypto.randomUUID()
    const job: WorkerJob = {
      schema: 'bitwitness/worker-job/v1',
      attempt: { id, verificationId: id, number: 1, mode: 'live' },
      lease: id,
      expiresAt: new Date(0).toISOString(),
      heartbeatSeconds: 1,
      source: { pinned: tree.pinned, tar: sha256 },
      lock: null,
      builder: null,
      // The machine of a publisher is not the one that fails.
      retried: Array.from({ length: 1000 }, () => ({ code: 'none', message: '', data: {} })),
    }
    const coordinator = { missing: async () => [], fetch: async () => {} }
    const signal = new AbortController().signal
    await using run = await standInBuilder({ blobs: this.#blobs, work, inHaste: true })(job, { coordinator, emit: () => {}, signal })
    const [artifact] = run.attempt.artifacts
    const { lock } = run.attempt
    return artifact === undefined || lock === null ? undefined : { sha256: artifact.sha256, lock }
  }

  async #inputs(lock: Sha256, number: number): Promise<Buffer> {
    const text = Buffer.concat(await Array.fromAsync(await this.#blobs.open(lock))).toString()
    const file = path.join(this.#folder, `inputs-${number}.tar`)
    await writeInputsArchive({ lock: parseLock(text), blobs: this.#blobs, path: file })
    return await readFile(file)
  }
}

function filesOf({ number, character, wishes }: PlannedSubmission): Readonly<Record<string, string>> {
  const recipe = RECIPE['mkosi.conf'] ?? ''
  return {
    'mkosi.conf': character === 'refused' ? recipe.replace('[Distribution]\n', '[Distribution]\nLocalMirror=file:///mirror\n') : recipe,
    'stand-in.json': JSON.stringify(wishes),
    number: `${number}\n`,
  }
}
