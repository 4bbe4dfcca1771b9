import type { EmitEvent } from '../../../verifier/model/event.ts'
import type { NewEvent } from '../store/records.ts'
import type { Unit } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'

/** What a coordinator itself does for a verification, told as events of attempt 0. */
export class VerificationEvents {
  readonly #ports: Pick<ServicePorts, 'unitOfWork' | 'now'>
  readonly #verificationId: string
  #pending: readonly NewEvent[] = []

  constructor(ports: Pick<ServicePorts, 'unitOfWork' | 'now'>, verificationId: string) {
    this.#ports = ports
    this.#verificationId = verificationId
  }

  readonly emit: EmitEvent = (event) => {
    this.#pending = [...this.#pending, { ...event, attempt: 0, at: this.#ports.now().toISOString() }]
  }

  /** Shows what was told so far to whoever follows. */
  async show(): Promise<void> {
    const told = this.#pending
    if (told.length === 0) return
    await this.#ports.unitOfWork.run((unit) => this.#append(unit, told))
    this.#pending = this.#pending.slice(told.length)
  }

  /** Writes what was not shown yet. A transaction may run again, so that it is not forgotten here. */
  async write(unit: Pick<Unit, 'events' | 'verifications'>): Promise<void> {
    if (this.#pending.length > 0) await this.#append(unit, this.#pending)
  }

  /** What was cancelled meanwhile has had its last event. */
  async #append({ events, verifications }: Pick<Unit, 'events' | 'verifications'>, told: readonly NewEvent[]): Promise<void> {
    await verifications.holdOff(this.#verificationId)
    const now = await verifications.read(this.#verificationId)
    if (now?.state === 'accepted' || now?.state === 'running') await events.append(this.#verificationId, told)
  }
}
