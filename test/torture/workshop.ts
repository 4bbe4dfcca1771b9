import type { ActorOptions } from './actor.ts'
import type { Published } from './published.ts'
import type { PlannedSubmission } from './submission-plan.ts'

export type WorkerPlace = {
  /** Of its own; its key is in `keys/`. */
  readonly home: string
  /** Of the coordinator that it works for. */
  readonly url: URL
}

/** What is built, by whom, and with what. */
export interface Workshop extends AsyncDisposable {
  /** What is submitted, and what is claimed of it. `callback`: where to tell of it, where that is wanted. */
  publish(planned: PlannedSubmission, callback: string): Promise<Published>
  /** Makes a home for a worker as it has to be. */
  prepare(home: string): Promise<void>
  /** The process of a worker, which tells its news as lines of JSON. */
  worker(place: WorkerPlace): Pick<ActorOptions, 'args' | 'environment' | 'isUp'>
  /** What builds of these homes left, that should be gone. */
  left(homes: readonly string[]): Promise<readonly string[]>
  /** The engine that it builds with, where it may be killed. */
  readonly engine: { kill(): Promise<void>; start(): Promise<void> } | null
}
