import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import type { BootInfo } from '../gate/boot-info.ts'
import { reasonOf } from '../gate/decide-gate.ts'
import { decideKms } from '../gate/decide-kms.ts'
import type { Decision } from '../gate/decision.ts'
import type { AnsweredGuest, AppDecision } from '../store/gate-ports.ts'
import type { UnitOfWork } from '../store/store-ports.ts'
import type { GuestPorts } from './answer-guest.ts'
import { inTime } from './in-time.ts'
import { KnownGuests } from './known-guests.ts'
import { NotedStandings, noteStandings } from './noted-standings.ts'
import type { NamedPolicy, Policies } from './policies.ts'
import type { ServiceEvents } from './service-events.ts'

/** Who asks, and what for: a KMS about an app or about itself, a gateway about an app. */
export type GateQuestion = 'kms-app' | 'kms-self' | 'gateway'

export type GateAnswer = {
  readonly isAllowed: boolean
  /** One line of ours, without a name or a text of whoever asked; hex of exact length, which was parsed as such, may stand in it. */
  readonly reason: string
  /** App id of the gateway, as the policy says it; empty where it says none. */
  readonly gatewayAppId: string
  /** Whether it was decided about an app, so that there is something to read on. */
  readonly decided: boolean
}

export type GateDeskPorts = GuestPorts & {
  readonly policies: Policies
  readonly unitOfWork: UnitOfWork
  readonly events?: Partial<ServiceEvents>
}

/** A gateway waits five seconds, for both. */
const POLICY_MS = 1_000
const PATIENCE_MS = 3_500
/** Questions that are answered at the same time; who comes beyond is denied at once, and asks again. */
const MOST_AT_ONCE = 64
const FLUSH_EVERY_MS = 1_000
/** Answers that wait to be noted; each is counted once. */
const MOST_NOTED = 10_000

/**
 * Where guests are asked about. Whatever goes wrong denies, within a bound of time: nobody is let in because something could not be found out.
 */
export class GateDesk {
  readonly #ports: GateDeskPorts
  readonly #noted = new Map<string, AnsweredGuest>()
  readonly #guests: KnownGuests
  readonly #standings = new NotedStandings(MOST_NOTED)
  #underWay = 0

  constructor(ports: GateDeskPorts) {
    this.#ports = ports
    this.#guests = new KnownGuests({ ...ports, patienceMs: PATIENCE_MS })
  }

  /** Told of everything after which an image may count otherwise: a verdict, a statement. Not to hear of it lets facts grow as old as a policy lets them. */
  forget(): void {
    this.#guests.forget()
  }

  /** The policy that a question is asked under; undefined where there is none of the name, null where it cannot be followed. */
  async policy(name: string): Promise<NamedPolicy | null | undefined> {
    try {
      return await inTime(POLICY_MS, () => this.#ports.policies.find(name))
    } catch (error) {
      this.#ports.events?.trouble?.({ where: 'gate', error })
      return null
    }
  }

  /** Never rejects. */
  async ask(asked: GateQuestion, policy: NamedPolicy, info: BootInfo): Promise<GateAnswer> {
    const gatewayAppId = policy.policy.gatewayAppId ?? ''
    const answer = (isAllowed: boolean, reason: string, decided = false): GateAnswer => {
      this.#ports.events?.guestAnswered?.({ policy: policy.policy.name, asked, allowed: isAllowed })
      return { isAllowed, reason, gatewayAppId, decided }
    }
    if (this.#underWay >= MOST_AT_ONCE) return answer(false, 'too many questions at once: ask again')
    this.#underWay += 1
    try {
      if (asked === 'kms-self') {
        const { judged, reason } = decideKms(policy.policy, info)
        return answer(judged === 'allow' || policy.policy.mode === 'observe', reason)
      }
      const decision = await inTime(PATIENCE_MS, () => this.#guests.decide(policy, info))
      this.#note({ asked, under: policy.name, info }, decision)
      const reason = reasonOf(decision)
      return answer(
        decision.decision === 'allow',
        policy.policy.mode === 'observe' && decision.judged === 'deny' ? `observed only: ${reason}` : reason,
        true,
      )
    } catch (error) {
      const code = codeOf(error)
      if (code === 'answer-late') return answer(false, 'it could not be found out in time')
      this.#ports.events?.trouble?.({ where: 'gate', error })
      return answer(false, `it could not be found out (${code})`)
    } finally {
      this.#underWay -= 1
    }
  }

  /** Notes what was answered until the signal fires, and what is left then. */
  async keepNotes(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(FLUSH_EVERY_MS, undefined, { signal }).catch(() => {
        // It is over.
      })
      await this.flush()
    }
  }

  async flush(): Promise<void> {
    if (this.#noted.size === 0) return
    const answered = [...this.#noted.values()]
    this.#noted.clear()
    const found = this.#standings.take()
    try {
      await this.#ports.unitOfWork.run(async (unit) => {
        await unit.gateDecisions.note(answered)
        await noteStandings(unit, found, this.#ports.now())
      })
    } catch (error) {
      this.#ports.events?.trouble?.({ where: 'gate', error })
      // With what came meanwhile, unless that is too much already.
      for (const one of answered) this.#count(one)
      for (const one of found) this.#standings.put(one)
    }
  }

  /** Only of apps that a policy lists, and app-composes whose bytes are here: whoever asks needs no token, and can make up any other. */
  #note({ asked, under, info }: { asked: 'kms-app' | 'gateway'; under: string; info: BootInfo }, judged: Decision): void {
    const { app, rules, at } = judged
    const known = (rule: string): boolean => rules.some((one) => one.rule === rule && one.result === 'pass')
    if (app === null || !known('app-listed') || !known('compose-known')) return
    const failed = rules.flatMap(({ rule, subject, result }) => (result === 'fail' ? [`${rule} ${subject}`] : []))
    const time = new Date(at)
    const decision: AppDecision = { ...judged, app }
    this.#count({ asked, answer: digestOf(failed.join('\n')), decision, count: 1, firstAt: time, lastAt: time })
    this.#standings.add(under, decision, info)
  }

  #count(one: AnsweredGuest): void {
    const { asked, answer, decision } = one
    const key = [decision.policy.sha256, asked, decision.app.id, decision.app.composeHash, answer].join(' ')
    const before = this.#noted.get(key)
    if (before === undefined && this.#noted.size >= MOST_NOTED) return
    const later = (a: Date, b: Date): Date => (a > b ? a : b)
    this.#noted.set(
      key,
      before === undefined ? one : { ...before, count: before.count + one.count, lastAt: later(before.lastAt, one.lastAt) },
    )
  }
}

/** A code of ours; of anything else nothing is told. */
function codeOf(error: unknown): string {
  return error instanceof Failure ? error.code : 'internal'
}
