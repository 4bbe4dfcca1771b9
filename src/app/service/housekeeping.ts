import { setTimeout as sleep } from 'node:timers/promises'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { firstFailure } from '../../../verifier/model/failure.ts'
import type { Cursor } from '../store/page.ts'
import type { Unit } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { giveUpAttempts } from './give-up-attempts.ts'
import type { ServiceEvents } from './service-events.ts'
import { RECEIVED_MS } from './take-upload.ts'

/** How long things are kept that nothing needs, all in milliseconds. What an attestation refers to is kept for ever. */
export type Retention = {
  /** What an owner brought for submissions to come. */
  readonly uploadsMs: number
  /** What is kept about verifications of which nothing was attested, after their end. */
  readonly recordsMs: number
  /** Bytes of what was built by verifications whose bits differ. */
  readonly artifactsMs: number
}

export type HousekeepingPorts = ServicePorts & {
  readonly events: Pick<ServiceEvents, 'housekept' | 'trouble'>
  readonly retention: Retention
  /** Removes the bytes of a blob unless somebody put it within so many milliseconds: false then. */
  readonly removeBytes: (sha256: Sha256, idleMs: number) => Promise<boolean>
  /** Has `look` look once at what was put into the store of blobs before so many milliseconds, at most so many at a time. */
  readonly settleBrought: (
    o: { readonly idleMs: number; readonly atOnce: number },
    look: (digests: readonly Sha256[]) => Promise<void>,
  ) => Promise<void>
}

/** A blob that was noted and that nothing needs a while later never will be. */
const UNNEEDED_MS = 6 * 3600_000
/**
 * Between forgetting a blob and removing its bytes: whoever put it, or saw that it is known, has noted by then that it is needed. More than
 * what is not noted again though it is needed (src/db/kept-blobs.ts).
 */
export const GRACE_MS = 2 * 3600_000
/** Rows of one transaction, and transactions of one round. */
const AT_ONCE = 500
const MOST_ROUNDS = 200

const GIVE_UP_EVERY_MS = 10_000
const KEEP_EVERY_MS = 10 * 60_000

/** Keeps house until the signal fires. Whatever fails is told, and done again the next time. Any number of coordinators may. */
export async function keepHouse(ports: HousekeepingPorts, signal: AbortSignal): Promise<void> {
  const house = new Housekeeping(ports)
  const every = async (ms: number, work: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      await work()
      await sleep(ms, undefined, { signal }).catch(() => {
        // It is over.
      })
    }
  }
  await Promise.all([every(GIVE_UP_EVERY_MS, () => house.giveUp(signal)), every(KEEP_EVERY_MS, () => house.round(signal))])
}

export class Housekeeping {
  readonly #ports: HousekeepingPorts
  /** How far blobs were looked at: each round goes on from there, so that one never has to look at all of them. */
  #seen: Cursor | null = null

  constructor(ports: HousekeepingPorts) {
    this.#ports = ports
  }

  /** Ends attempts of which the queue has given up. */
  async giveUp(signal: AbortSignal): Promise<void> {
    await this.#trying('attempts', async () => {
      while (!signal.aborted && (await giveUpAttempts(this.#ports)) > 0);
    })
  }

  /** Lets go of what nothing needs any more. */
  async round(signal: AbortSignal): Promise<void> {
    const { now, retention } = this.#ports
    const ago = (ms: number): Date => new Date(now().getTime() - ms)
    await this.#sweep('idempotency-keys', signal, ({ idempotencyKeys }) => idempotencyKeys.sweep(now(), AT_ONCE))
    await this.#sweep('uploads', signal, async ({ uploads }) => (await uploads.sweep(ago(retention.uploadsMs), AT_ONCE)).length)
    await this.#sweep('received-uploads', signal, ({ uploads }) => uploads.forgetReceived(ago(RECEIVED_MS), AT_ONCE))
    await this.#sweep('gate-decisions', signal, ({ gateDecisions }) => gateDecisions.sweep(ago(retention.recordsMs), AT_ONCE))
    await this.#sweep('gate-standings', signal, ({ gateStandings }) => gateStandings.sweep(ago(retention.recordsMs), AT_ONCE))
    await this.#sweep('observations', signal, ({ observations }) => observations.sweep(ago(retention.recordsMs), AT_ONCE))
    await this.#sweep('artifacts', signal, ({ blobs }) =>
      blobs.releaseEnded({ role: 'artifact', before: ago(retention.artifactsMs), limit: AT_ONCE }),
    )
    await this.#trying('blobs', () => this.#collect({ endedBefore: ago(retention.recordsMs), notedBefore: ago(UNNEEDED_MS) }, signal))
    await this.#trying('blobs', () => this.#forgetUnknown())
    await this.#trying('blobs', () => this.#removeBytes(signal))
  }

  /** Bytes that nobody knows: who brought them was killed before it could note what for. They go as what was forgotten does. */
  async #forgetUnknown(): Promise<void> {
    const { unitOfWork, settleBrought } = this.#ports
    await settleBrought({ idleMs: UNNEEDED_MS, atOnce: AT_ONCE }, (digests) =>
      unitOfWork.run(({ forgottenBlobs }) => forgottenBlobs.add(digests)),
    )
  }

  async #collect(o: { endedBefore: Date; notedBefore: Date }, signal: AbortSignal): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS && !signal.aborted; round += 1) {
      const after = this.#seen
      const { next } = await this.#ports.unitOfWork.run(({ blobs }) => blobs.collect({ ...o, after, limit: AT_ONCE }))
      this.#seen = next
      if (next === null) return
    }
  }

  /** The row is gone by then; the bytes go unless somebody brought them meanwhile. */
  async #removeBytes(signal: AbortSignal): Promise<void> {
    const { unitOfWork, removeBytes, events } = this.#ports
    let count = 0
    for (let round = 0; round < MOST_ROUNDS && !signal.aborted; round += 1) {
      const due = await unitOfWork.run(({ forgottenBlobs }) => forgottenBlobs.due({ seconds: GRACE_MS / 1000, limit: AT_ONCE }))
      const gone: Sha256[] = []
      const kept: Sha256[] = []
      for (const sha256 of due) ((await removeBytes(sha256, GRACE_MS)) ? gone : kept).push(sha256)
      await unitOfWork.run(async ({ forgottenBlobs }) => {
        await forgottenBlobs.gone(gone)
        await forgottenBlobs.postpone(kept)
      })
      count += gone.length
      if (due.length < AT_ONCE) break
    }
    events.housekept({ what: 'blobs', count })
  }

  async #sweep(
    what: 'artifacts' | 'gate-decisions' | 'gate-standings' | 'idempotency-keys' | 'observations' | 'received-uploads' | 'uploads',
    signal: AbortSignal,
    step: (unit: Unit) => Promise<number>,
  ): Promise<void> {
    await this.#trying(what, async () => {
      let count = 0
      for (let round = 0; round < MOST_ROUNDS && !signal.aborted; round += 1) {
        const some = await this.#ports.unitOfWork.run(step)
        count += some
        if (some === 0) break
      }
      this.#ports.events.housekept({ what, count })
    })
  }

  async #trying(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#ports.events.trouble({ where: `housekeeping ${what}`, error: firstFailure(error) })
    }
  }
}
