import type { WorkerCapabilities } from '../../src/app/store/records.ts'
import { openHome } from '../../src/config/home.ts'
import type { Settings } from '../../src/config/settings.ts'
import { sweepScratch } from '../../src/storage/scratch.ts'
import type { WorkBench } from '../../src/work-bench.ts'
import type { BlobStore } from '../../verifier/model/blob-store.ts'
import { standInBuilder } from '../stand-in-builder.ts'

/** In place of `src/context.ts`, for the worker inside of a coordinator: a bench without an engine. */
export class Context {
  readonly #blobs: BlobStore
  readonly #work: string

  private constructor(blobs: BlobStore, work: string) {
    this.#blobs = blobs
    this.#work = work
  }

  static async open({ home }: Settings, { blobs }: { readonly blobs: BlobStore }): Promise<Context> {
    const { work } = await openHome(home)
    await sweepScratch(work)
    return new Context(blobs, work)
  }

  async workBench(): Promise<WorkBench> {
    const capabilities: WorkerCapabilities = { architecture: 'amd64', builders: [], isolation: 'shared-kernel' }
    return {
      runJob: standInBuilder({ blobs: this.#blobs, work: this.#work }),
      blobs: this.#blobs,
      slots: 2,
      version: '0.0.0',
      capabilities: async () => capabilities,
      obstacle: async () => null,
    }
  }
}
