import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { SubmissionRequest } from '../../src/app/service/api-documents.ts'
import type { WorkerJob } from '../../src/app/service/worker-protocol.ts'
import { openBlobFolder } from '../../src/storage/blob-folder.ts'
import { writeInputsArchive } from '../../verifier/builder/inputs/inputs-archive.ts'
import { parseLock } from '../../verifier/builder/inputs/parse-lock.ts'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { pinSource } from '../../verifier/source/pin-source.ts'
import { OWN_ACCESS } from '../../verifier/source/source-ref.ts'
import { tar } from '../../verifier/source/testing/tar.ts'
import { standInBuilder } from '../stand-in-builder.ts'
import { RECIPE } from '../worker-room.ts'
import type { PlannedSubmission } from './submission-plan.ts'

/** What is uploaded and asked for. */
export type Published = {
  readonly uploads: readonly { readonly sha256: Sha256; readonly bytes: Uint8Array }[]
  readonly request: SubmissionRequest
}

/** Builds what is to be claimed as a publisher would, by the same stand-in that workers build with. */
export class Publisher {
  readonly #folder: string
  readonly #blobs: BlobStore

  private constructor(folder: string, blobs: BlobStore) {
    this.#folder = folder
    this.#blobs = blobs
  }

  static async open(folder: string): Promise<Publisher> {
    await mkdir(path.join(folder, 'work'), { recursive: true, mode: 0o700 })
    return new Publisher(folder, await openBlobFolder(path.join(folder, 'blobs')))
  }

  /** `callback`: where to tell of it, where that is wanted. */
  async publish(planned: PlannedSubmission, callback: string): Promise<Published> {
    const { character, number, attempts } = planned
    const archive = tar(...Object.entries(filesOf(planned)).map(([name, body]) => ({ path: `app/${name}`, body })))
    const built = await this.#build(archive, number)
    const wrong = digestOf(`never built ${number}`)
    const file = (sha256: Sha256) => ({ kind: 'file', name: null, sha256, location: null }) as const
    const right = built === undefined ? file(wrong) : file(built.sha256)
    const inputs = character === 'locked' && built !== undefined ? await this.#inputs(built.lock, number) : undefined
    const uploads = [archive, ...(inputs === undefined ? [] : [inputs])]
    return {
      uploads: uploads.map((bytes) => ({ sha256: digestOf(bytes), bytes })),
      request: {
        source: {
          kind: 'archive',
          sha256: digestOf(archive),
          name: `app-${number}.tar`,
          path: character === 'unpinnable' ? 'nowhere' : '.',
        },
        claims: character === 'mismatch' ? [file(wrong)] : character === 'partly' ? [right, file(wrong)] : [right],
        lock: null,
        inputs: inputs === undefined ? null : digestOf(inputs),
        builder: null,
        attempts,
        maxAge: null,
        callback: planned.callback ? callback : null,
      },
    }
  }

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
