import { parsePinnedReference, pinnedName } from '../../../verifier/model/image-reference.ts'
import { readBootInfo } from '../gate/boot-info.ts'
import type { Decision } from '../gate/decision.ts'
import { type Asked, answerGate, type GuestPorts } from './answer-guest.ts'
import type { DecisionRequest } from './gate-documents.ts'
import { GateRoom } from './gate-room.ts'
import { inTime } from './in-time.ts'
import { type Policies, policyUnknown } from './policies.ts'

export type OpenGatePorts = GuestPorts & { readonly policies: Policies }

/** Questions that are answered at the same time. Anybody may ask, and KMSs and gateways are not to wait for them. */
const MOST_AT_ONCE = 8
/** Until a question is given up, ms. */
const PATIENCE_MS = 10_000

/** The gate for whoever wants to know before anything starts. What it answers starts nothing, and nothing of it is kept. */
export class OpenGate {
  readonly #ports: OpenGatePorts
  readonly #room = new GateRoom(MOST_AT_ONCE)

  constructor(ports: OpenGatePorts) {
    this.#ports = ports
  }

  /**
   * Fails with `policy-unknown`, `policy-invalid`, `boot-info-malformed`, `image-reference-malformed`, `image-digest-missing`, `gate-busy` where
   * others are being answered, and `answer-late`.
   */
  async decide(request: DecisionRequest): Promise<Decision> {
    const asked = askedOf(request)
    return await this.#room.within(
      async () =>
        await inTime(PATIENCE_MS, async (signal) => {
          const policy = await this.#ports.policies.find(request.policy)
          if (policy === undefined) throw policyUnknown()
          return await answerGate(this.#ports, policy, asked, signal)
        }),
    )
  }
}

function askedOf(request: DecisionRequest): Asked {
  if ('app' in request) return { app: request.app, guest: null }
  if ('image' in request) return { image: pinnedName(parsePinnedReference(request.image)) }
  const guest = readBootInfo(request.guest)
  return { app: { id: guest.appId, composeHash: guest.composeHash }, guest }
}
