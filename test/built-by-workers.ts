import path from 'node:path'
import { LocalCoordinator } from '../src/app/service/local-coordinator.ts'
import { reportDocument } from '../src/app/service/report-document.ts'
import type { WorkerCapabilities } from '../src/app/store/records.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { handOver } from '../src/worker/hand-over.ts'
import { makeFolder } from '../verifier/bytes/make-folder.ts'
import type { Attempt } from '../verifier/model/attempt.ts'
import { standInBuilder } from './stand-in-builder.ts'
import { addWorker } from './stored.ts'
import type { WorkerRoom } from './worker-room.ts'

const never = new AbortController().signal

/** A worker that runs what is queued in the stand-in of a builder, and reports it. */
export class BuildingWorker {
  readonly #room: WorkerRoom
  readonly #name: string
  #coordinator: LocalCoordinator | undefined

  constructor(room: WorkerRoom, name = 'builder') {
    this.#room = room
    this.#name = name
  }

  /** Gives how many attempts there were. `change` is what it says instead of what it saw. */
  async buildAll(change: (attempt: Attempt) => Partial<Attempt> = () => ({})): Promise<number> {
    const folder = await this.#room.makeFolder(this.#name)
    const work = path.join(folder, 'work')
    await makeFolder(work)
    const blobs = await openBlobFolder(path.join(folder, 'blobs'))
    this.#coordinator ??= new LocalCoordinator(this.#room.ports, await addWorker(this.#room.store, this.#name, new Date()))
    const coordinator = this.#coordinator
    const capabilities: WorkerCapabilities = { architecture: 'amd64', builders: [], isolation: 'shared-kernel' }
    for (let built = 0; ; built += 1) {
      const job = await coordinator.claim({ schema: 'bitwitness/worker-claim/v1', capabilities, waitSeconds: 0 }, never)
      if (job === undefined) return built
      await using run = await standInBuilder({ blobs, work })(job, { coordinator, emit: () => {}, signal: never })
      await handOver({ coordinator, blobs, job, run, signal: never })
      const attempt = { ...run.attempt, ...change(run.attempt) }
      await coordinator.report(job.attempt.id, reportDocument(job, { ...run, attempt }, '0.0.0'))
    }
  }
}
