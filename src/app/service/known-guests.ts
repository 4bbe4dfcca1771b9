import type { BootInfo } from '../gate/boot-info.ts'
import type { Decision } from '../gate/decision.ts'
import type { LoadedPolicy } from '../gate/read-policy.ts'
import { decideFound, type Found, findOut, type GuestPorts } from './answer-guest.ts'
import { inTime } from './in-time.ts'
import { SharedRuns } from './shared-runs.ts'

export type KnownGuestsPorts = GuestPorts & {
  /** How long finding out may take, ms. */
  readonly patienceMs: number
}

/** Guests that are remembered; what was not asked for longest is forgotten. */
const MOST_KNOWN = 200

/**
 * What was found out about guests, kept for as long as the policy says (`cacheSeconds`), and not at all where it says 0. Every question is decided
 * anew. What is remembered only ever helps to an allow: before a no it is found out once more. Facts are as old as the oldest signature check
 * among them, and equal questions that come at once share one finding out that began after all of them.
 */
export class KnownGuests {
  readonly #ports: KnownGuestsPorts
  readonly #known = new Map<string, Found>()
  readonly #finding = new SharedRuns<{ readonly found: Found; readonly changes: number }>()
  #changes = 0

  constructor(ports: KnownGuestsPorts) {
    this.#ports = ports
  }

  /** What counts about some image may have changed. What is being found out now is not remembered either. */
  forget(): void {
    this.#changes += 1
    this.#known.clear()
  }

  /** Fails with `answer-late`, and as the ports do. */
  async decide(policy: LoadedPolicy, info: BootInfo): Promise<Decision> {
    const { now, patienceMs, trustedRoot } = this.#ports
    const root = await trustedRoot()
    const asked = { app: { id: info.appId, composeHash: info.composeHash }, guest: info }
    // Of a guest image that the policy does not list nothing is looked up: whoever makes one up asks what all others do.
    const osImageHash = Object.hasOwn(policy.policy.osImages, info.osImageHash) ? info.osImageHash : null
    const key = [policy.sha256, info.appId, info.composeHash, osImageHash, root.sha256].join(' ')
    const known = this.#known.get(key)
    if (known !== undefined && isYoung(known, policy, now())) {
      const decision = decideFound(policy, asked, known, now())
      if (decision.judged === 'allow') return decision
    }
    const { found, changes } = await this.#finding.run(key, async () => {
      const before = this.#changes
      const o = { policy, trustedRoot: root, now: now() }
      return {
        found: await inTime(patienceMs, (signal) => findOut(this.#ports, { ...asked, guest: { ...info, osImageHash } }, { ...o, signal })),
        changes: before,
      }
    })
    const decision = decideFound(policy, asked, found, now())
    // Who asks needs no token: only what leads to an allow takes a place, and what is in one stays no older than was just found.
    if (changes === this.#changes && (decision.judged === 'allow' || this.#known.has(key))) this.#remember(key, found)
    return decision
  }

  #remember(key: string, found: Found): void {
    this.#known.delete(key)
    this.#known.set(key, found)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest)
  }
}

function isYoung({ asOf }: Found, { policy }: LoadedPolicy, now: Date): boolean {
  const age = now.getTime() - asOf
  return age >= 0 && age < policy.attestations.cacheSeconds * 1000
}
