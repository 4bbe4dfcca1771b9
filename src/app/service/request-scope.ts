import { AsyncLocalStorage } from 'node:async_hooks'

const scope = new AsyncLocalStorage<string>()

/** Runs what answers one request: events that are told meanwhile, however deep, belong to it. `id` is ours, no text of the client's. */
export function inRequest<T>(id: string, work: () => T): T {
  return scope.run(id, work)
}

/** The request that is being answered; null outside of any. */
export function currentRequest(): string | null {
  return scope.getStore() ?? null
}
