import { Failure } from '../../verifier/model/failure.ts'
import { ARCHITECTURES } from '../app/store/records.ts'

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])

/** Each value of a label is a series that is kept for ever: what others choose is cut down to few. */
export function methodLabel(method: string): string {
  return METHODS.has(method) ? method : 'other'
}

export function architectureLabel(architecture: string): string {
  return ARCHITECTURES.find((one) => one === architecture) ?? 'other'
}

/** Codes are ours, and few. */
export function codeLabel(error: unknown): string {
  return error instanceof Failure ? error.code : 'internal'
}

/** Templates of paths there are few of; that no path gets here in place of its template is not left to hope. */
const MOST_ROUTES = 100

export class RouteLabels {
  readonly #known = new Set<string>()

  of(route: string): string {
    if (this.#known.has(route)) return route
    if (this.#known.size >= MOST_ROUTES || route.length > 120) return 'other'
    this.#known.add(route)
    return route
  }
}
