import { Failure } from '../../../verifier/model/failure.ts'

/** So many questions to a gate are worked on at the same time; who comes beyond fails with `gate-busy`, and asks again. */
export class GateRoom {
  readonly #most: number
  #underWay = 0

  constructor(most: number) {
    this.#most = most
  }

  async within<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay >= this.#most) throw gateBusy()
    this.#underWay += 1
    try {
      return await work()
    } finally {
      this.#underWay -= 1
    }
  }
}

function gateBusy(): Failure {
  return new Failure({
    code: 'gate-busy',
    message: 'too many others are asking the gate',
    hint: 'ask again in a moment',
    retryable: true,
    data: { retryAfterSeconds: 2 },
  })
}
