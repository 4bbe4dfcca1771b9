import { z } from 'zod'
import { REJECTIONS, type RejectionCode } from './rejections.ts'

/**
 * What is looked at, in the order in which it is told. The first that fails gives the whole its code.
 * `signer`: is it whom the policy names. `certificate`: does it come from a trusted authority and was it valid then. `time`: timestamps
 * and log times. `log`: entries of the transparency log. `age`: is it as new as the policy asks.
 */
export const CHECK_NAMES = [
  'bundle',
  'envelope',
  'signer',
  'signature',
  'certificate',
  'time',
  'log',
  'statement',
  'predicate-type',
  'subject',
  'predicate',
  'age',
] as const
export type CheckName = (typeof CHECK_NAMES)[number]

/** One check. A `skip` was not made and says why; it never counts as a pass. */
export const Check = z.strictObject({
  name: z.enum(CHECK_NAMES),
  result: z.enum(['pass', 'fail', 'skip']),
  /** Stable, listed in docs/errors.md; null unless it failed. */
  code: z.string().nullable(),
  /** One line. */
  message: z.string(),
})
export type Check = z.infer<typeof Check>

const NOT_REACHED = 'not looked at, since an earlier check failed'

/** Collects results. What failed once stays failed, with its first code. */
export class Checklist {
  readonly #results = new Map<CheckName, Check>()

  pass(name: CheckName, message: string): void {
    if (!this.failed(name)) this.#results.set(name, { name, result: 'pass', code: null, message })
  }

  skip(name: CheckName, message: string): void {
    if (!this.failed(name)) this.#results.set(name, { name, result: 'skip', code: null, message })
  }

  fail(name: CheckName, code: RejectionCode): void {
    this.failWith(name, { code, message: REJECTIONS[code][0] })
  }

  /** For codes of failures that reading a statement gives. */
  failWith(name: CheckName, said: { readonly code: string; readonly message: string }): void {
    if (!this.failed(name)) this.#results.set(name, { name, result: 'fail', code: said.code, message: said.message })
  }

  failed(name: CheckName): boolean {
    return this.#results.get(name)?.result === 'fail'
  }

  anyFailed(names: readonly CheckName[] = CHECK_NAMES): boolean {
    return names.some((name) => this.failed(name))
  }

  /** All checks in their order; what nobody came to is a skip. */
  all(): Check[] {
    return CHECK_NAMES.map((name) => this.#results.get(name) ?? { name, result: 'skip', code: null, message: NOT_REACHED })
  }
}
