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
    await this.#ports.unitOfWork.run(({ events }) => events.append(this.#verificationId, told))
    this.#pending = this.#pending.slice(told.length)
  }

  /** Writes what was not shown yet. A transaction may run again, so that it is not forgotten here. */
  async write({ events }: Pick<Unit, 'events'>): Promise<void> {
    if (this.#pending.length > 0) await events.append(this.#verificationId, this.#pending)
  }
}
