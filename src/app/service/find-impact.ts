import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { problemsInOne } from '../../../verifier/recipe/plain-yaml.ts'
import type { BootInfo } from '../gate/boot-info.ts'
import { type ImpactApp, impactOn, POLICY_IMPACT_SCHEMA, type PolicyImpact } from '../gate/policy-impact.ts'
import { type LoadedPolicy, readPolicy } from '../gate/read-policy.ts'
import type { Reads } from '../store/store-ports.ts'
import { answerGate, type GuestPorts } from './answer-guest.ts'
import { type Caller, requireScope } from './caller.ts'
import { GateRoom } from './gate-room.ts'
import { inTime } from './in-time.ts'
import { type Policies, policyUnknown, type SeenPolicy } from './policies.ts'

/** An app that runs, as far as is known. */
export type RunningApp = {
  readonly appId: string
  readonly composeHash: Sha256
  /** Null: nothing is known of where it runs. */
  readonly guest: BootInfo | null
  readonly lastAt: Date
}

/** Apps that a policy of this name let run since a time, or was asked about; at most `limit`. */
export type RunningApps = (o: { readonly policy: string; readonly since: Date; readonly limit: number }) => Promise<readonly RunningApp[]>

export type ImpactPorts = GuestPorts & {
  readonly policies: Pick<Policies, 'see'>
  /** Who knows of apps that run: what one says of an app goes before what later ones say of it. */
  readonly running: readonly RunningApps[]
}

/** Apps that are looked at. */
const MOST_APPS = 200
/** All of them together. */
const PATIENCE_MS = 60_000
const DAY_MS = 86_400_000

/** Says what another policy would do to the apps that run now, one question at a time: each costs as much as hundreds of decisions. */
export class Impacts {
  readonly #ports: ImpactPorts
  readonly #room = new GateRoom(1)

  constructor(ports: ImpactPorts) {
    this.#ports = ports
  }

  /**
   * `draft` is the file of a policy; it is read, and not kept. Fails with `scope-missing`, `policy-draft-invalid`, `policy-unknown` where there is
   * nothing that it could replace, `gate-busy` and `answer-late`.
   */
  async find(o: {
    readonly caller: Caller
    readonly draft: Uint8Array
    readonly replaces: string | null
    readonly days: number
  }): Promise<PolicyImpact> {
    requireScope(o.caller, 'admit')
    return await this.#room.within(async () => {
      const after = mustFollow(o.draft)
      const seen = await this.#ports.policies.see(o.replaces ?? after.policy.name)
      if (seen === undefined) throw policyUnknown()
      const since = new Date(this.#ports.now().getTime() - o.days * DAY_MS)
      return await inTime(PATIENCE_MS, (signal) => this.#impact({ seen, after, since }, signal))
    })
  }

  async #impact(o: { seen: SeenPolicy; after: LoadedPolicy; since: Date }, signal: AbortSignal): Promise<PolicyImpact> {
    const { seen, after, since } = o
    const now = this.#ports.now()
    const before = seen.policy === null ? null : { policy: seen.policy, sha256: seen.sha256 }
    const running = await this.#running(seen.name, since)
    const apps: ImpactApp[] = []
    for (const app of running.slice(0, MOST_APPS)) {
      signal.throwIfAborted()
      apps.push(await this.#onApp(app, { before, after }, signal))
    }
    const complete = running.length <= MOST_APPS
    return {
      schema: POLICY_IMPACT_SCHEMA,
      verdict: apps.some(({ change }) => change === 'denied') ? 'denies' : complete ? 'harmless' : 'unknown',
      at: now.toISOString(),
      policy: {
        name: seen.name,
        before: { sha256: seen.sha256, mode: seen.policy?.mode ?? null },
        after: { sha256: after.sha256, mode: after.policy.mode },
      },
      since: since.toISOString(),
      complete,
      apps,
    }
  }

  async #onApp(
    { appId, composeHash, guest, lastAt }: RunningApp,
    { before, after }: { readonly before: LoadedPolicy | null; readonly after: LoadedPolicy },
    signal: AbortSignal,
  ): Promise<ImpactApp> {
    const asked = { app: { id: appId, composeHash }, guest }
    const decide = (policy: LoadedPolicy) => answerGate(this.#ports, policy, asked, signal)
    return {
      app: appId,
      composeHash,
      lastAt: lastAt.toISOString(),
      guest: guest === null ? null : { by: guest.by, osImageHash: guest.osImageHash, deviceId: guest.deviceId },
      ...impactOn(before === null ? null : await decide(before), await decide(after)),
    }
  }

  async #running(policy: string, since: Date): Promise<readonly RunningApp[]> {
    const found = new Map<string, RunningApp>()
    for (const running of this.#ports.running)
      for (const app of await running({ policy, since, limit: MOST_APPS + 1 })) {
        const key = `${app.appId} ${app.composeHash}`
        const known = found.get(key)
        found.set(key, known === undefined ? app : { ...known, guest: known.guest ?? app.guest })
      }
    return [...found.values()]
  }
}

/** What KMSs and gateways asked about; the guest is the one that was let in last. */
export function askedApps(reads: Pick<Reads, 'gateStandings'>): RunningApps {
  return (o) => reads.gateStandings.asked(o)
}

function mustFollow(draft: Uint8Array): LoadedPolicy {
  const { policy, sha256, problems } = readPolicy(draft)
  if (policy !== undefined) return { policy, sha256 }
  throw new Failure({
    code: 'policy-draft-invalid',
    message: `the policy that was sent cannot be followed: ${problemsInOne(problems)}`,
    hint: 'mend it (docs/policy.md says what stands in one), and see with policy check',
  })
}
