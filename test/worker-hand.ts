import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { LocalCoordinator } from '../src/app/service/local-coordinator.ts'
import { reportDocument } from '../src/app/service/report-document.ts'
import type { JobRun } from '../src/app/service/run-job.ts'
import type { WorkerJob } from '../src/app/service/worker-protocol.ts'
import type { Worker, WorkerCapabilities } from '../src/app/store/records.ts'
import { openBlobFolder } from '../src/storage/blob-folder.ts'
import { handOver } from '../src/worker/hand-over.ts'
import type { Attempt } from '../verifier/model/attempt.ts'
import type { BlobStore } from '../verifier/model/blob-store.ts'
import { type StandInOptions, standInBuilder } from './stand-in-builder.ts'
import { addWorker } from './stored.ts'
import type { WorkerRoom } from './worker-room.ts'

const never = new AbortController().signal

/** A worker with a store of blobs of its own, and what it says. */
export class WorkerHand {
  readonly worker: Worker
  readonly coordinator: LocalCoordinator
  readonly blobs: BlobStore
  readonly work: string

  private constructor(o: Pick<WorkerHand, 'worker' | 'coordinator' | 'blobs' | 'work'>) {
    this.worker = o.worker
    this.coordinator = o.coordinator
    this.blobs = o.blobs
    this.work = o.work
  }

  static async make(room: WorkerRoom, name: string, change: Partial<Worker> = {}): Promise<WorkerHand> {
    const folder = await room.makeFolder(name)
    const work = path.join(folder, 'work')
    await mkdir(work)
    const worker = await addWorker(room.store, name, room.ports.now(), change)
    const coordinator = new LocalCoordinator(room.ports, worker)
    return new WorkerHand({ worker, coordinator, blobs: await openBlobFolder(path.join(folder, 'blobs')), work })
  }

  async claim(waitSeconds = 0, can: Partial<WorkerCapabilities> = {}): Promise<WorkerJob | undefined> {
    const capabilities: WorkerCapabilities = { architecture: 'amd64', builders: [], isolation: 'shared-kernel', ...can }
    return await this.coordinator.claim({ schema: 'bitwitness/worker-claim/v1', capabilities, waitSeconds }, never)
  }

  async mustClaim(can: Partial<WorkerCapabilities> = {}): Promise<WorkerJob> {
    const job = await this.claim(0, can)
    if (job === undefined) throw new Error('nothing to do')
    return job
  }

  async run(job: WorkerJob, o: Partial<StandInOptions> = {}): Promise<JobRun> {
    const runJob = standInBuilder({ blobs: this.blobs, work: this.work, ...o })
    return await runJob(job, { coordinator: this.coordinator, emit: () => {}, signal: never })
  }

  /** Runs it and hands everything over but the report. */
  async prepared(job: WorkerJob, o: Partial<StandInOptions> = {}): Promise<JobRun> {
    const run = await this.run(job, o)
    await this.give(job, run)
    return run
  }

  async give(job: WorkerJob, run: JobRun): Promise<void> {
    await handOver({ coordinator: this.coordinator, blobs: this.blobs, job, run, signal: never })
  }

  async report(job: WorkerJob, run: JobRun, change: Partial<Attempt> = {}): Promise<string> {
    const document = reportDocument(job, { ...run, attempt: { ...run.attempt, ...change } }, '0.0.0')
    return (await this.coordinator.report(job.attempt.id, document)).state
  }

  async finish(job: WorkerJob): Promise<void> {
    await using run = await this.prepared(job)
    await this.report(job, run)
  }
}
