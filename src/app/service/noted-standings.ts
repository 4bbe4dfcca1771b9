import type { BootInfo } from '../gate/boot-info.ts'
import { standingResult } from '../gate/standing-result.ts'
import type { AppDecision, FoundStanding } from '../store/gate-ports.ts'
import type { Unit } from '../store/store-ports.ts'
import { summaryTime } from './summary.ts'

/** How app-composes stand with policies, until it is noted; the last answer for each. */
export class NotedStandings {
  readonly #most: number
  readonly #found = new Map<string, FoundStanding>()

  constructor(most: number) {
    this.#most = most
  }

  add(policy: string, decision: AppDecision, guest: BootInfo): void {
    const admitted = decision.rules.some(({ rule, result }) => rule === 'compose-admitted' && result === 'pass')
    const guestRank = decision.judged === 'deny' ? 0 : guest.by === 'gateway' ? 1 : 2
    this.put({ policy, decision, result: standingResult(decision), admitted, guest, guestRank, at: new Date(decision.at) })
  }

  /** What was not noted, unless something later was found. */
  put(one: FoundStanding): void {
    const { policy, app } = one.decision
    const key = [policy.sha256, app.id, app.composeHash].join(' ')
    const known = this.#found.get(key)
    if (known === undefined) {
      if (this.#found.size < this.#most) this.#found.set(key, one)
      return
    }
    const [earlier, later] = known.at > one.at ? [one, known] : [known, one]
    const { guest, guestRank } = earlier.guestRank > later.guestRank ? earlier : later
    this.#found.set(key, { ...later, guest, guestRank })
  }

  take(): readonly FoundStanding[] {
    const found = [...this.#found.values()]
    this.#found.clear()
    return found
  }
}

/** Notes standings, and has those signed that changed: in one transaction, so that no change is without its job. */
export async function noteStandings({ gateStandings, jobs }: Unit, found: readonly FoundStanding[], now: Date): Promise<void> {
  for (const standing of await gateStandings.note(found)) {
    const { policySha256, appId, composeHash } = standing
    const after = summaryTime(standing, now)
    await jobs.enqueue('summary', { policySha256, appId, composeHash }, after === null ? {} : { after })
  }
}
