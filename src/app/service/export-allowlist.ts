import { Failure } from '../../../verifier/model/failure.ts'
import { type Allowlist, authSimple } from '../gate/auth-simple.ts'
import type { Decision } from '../gate/decision.ts'
import { judgedOsImages } from '../gate/judged-os-images.ts'
import type { Reads } from '../store/store-ports.ts'
import { answerGate, type GuestPorts, signedHere } from './answer-guest.ts'
import { GateRoom } from './gate-room.ts'
import { inTime } from './in-time.ts'
import { type NamedPolicy, type Policies, policyUnknown } from './policies.ts'

export type AllowlistPorts = GuestPorts & {
  readonly policies: Pick<Policies, 'find'>
  readonly reads: { readonly composes: Pick<Reads['composes'], 'ofApp'> }
}

/** App-composes that are decided about. */
const MOST_COMPOSES = 500
/** Of one app, the newest that were admitted. */
const MOST_ADMITTED = 100
const PATIENCE_MS = 30_000

/** What a policy allows at this moment, for those who cannot be asked: one at a time, since each costs as much as many decisions. */
export class Allowlists {
  readonly #ports: AllowlistPorts
  readonly #room = new GateRoom(1)

  constructor(ports: AllowlistPorts) {
    this.#ports = ports
  }

  /** Fails with `policy-unknown`, `policy-invalid`, `gate-busy`, `answer-late`, `export-too-large`, and as `authSimple` does. */
  async find(name: string): Promise<Allowlist> {
    return await this.#room.within(async () => {
      const policy = await this.#ports.policies.find(name)
      if (policy === undefined) throw policyUnknown()
      return await inTime(PATIENCE_MS, (signal) => this.#allowlist(policy, signal))
    })
  }

  async #allowlist(policy: NamedPolicy, signal: AbortSignal): Promise<Allowlist> {
    const now = this.#ports.now()
    const trustedRoot = await this.#ports.trustedRoot()
    const osImages = await judgedOsImages(policy, now, signedHere(this.#ports, { policy, trustedRoot, now, signal }))
    const apps: Decision[] = []
    for (const [id, { composes }] of Object.entries(policy.policy.apps)) {
      const admitted = await this.#ports.reads.composes.ofApp(id, MOST_ADMITTED)
      for (const composeHash of new Set([...composes, ...admitted.map((one) => one.composeHash)])) {
        signal.throwIfAborted()
        if (apps.length >= MOST_COMPOSES) throw tooLarge()
        apps.push(await answerGate(this.#ports, policy, { app: { id, composeHash }, guest: null }, signal))
      }
    }
    return authSimple(policy.policy, { apps, osImages })
  }
}

function tooLarge(): Failure {
  return new Failure({
    code: 'export-too-large',
    message: 'the policy and who admits by it name more app-composes than are exported',
    hint: 'leave out of the policy what runs no more',
  })
}
