import type { WrongAnswer } from './wrong-answers.ts'

/** What may go wrong with one request: no answer, or none that makes sense; or another than is due. */
export type PhalaFault =
  | { readonly kind: WrongAnswer }
  /** Another answer, and nothing is done. */
  | { readonly kind: 'answer'; readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** It is done, and the answer is changed. */
  | { readonly kind: 'changed'; readonly change: (body: Record<string, unknown>) => unknown }

type Planned = { readonly fault: PhalaFault; times: number }

/** Faults by method and path, `POST /cvms/:id/stop`. */
export class PhalaFaults {
  readonly #planned = new Map<string, Planned[]>()

  /** `times`: how many requests; without it every one. */
  add(route: string, fault: PhalaFault, times = Number.POSITIVE_INFINITY): void {
    this.#planned.set(route, [...(this.#planned.get(route) ?? []), { fault, times }])
  }

  clear(): void {
    this.#planned.clear()
  }

  take(route: string): PhalaFault | undefined {
    const planned = this.#planned.get(route)?.find(({ times }) => times > 0)
    if (planned === undefined) return undefined
    planned.times -= 1
    return planned.fault
  }
}
