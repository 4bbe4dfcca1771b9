import type { Duplex } from 'node:stream'
import type { InputLock } from '../../model/lock.ts'
import { type Answer, ArchiveServer } from './archive-server.ts'
import { DEFAULT_INPUT_LIMITS, type InputFailure, type InputLimits, type InputProxy } from './input-proxy.ts'
import { type Target, targetKey } from './target.ts'

/** What recording and replaying have in common: the server that a build talks to, and what went wrong address by address. */
export abstract class ArchiveProxy implements InputProxy {
  protected readonly limits: InputLimits
  readonly #server: ArchiveServer
  readonly #failures = new Map<string, InputFailure>()

  constructor(limits: Partial<InputLimits> | undefined) {
    this.limits = { ...DEFAULT_INPUT_LIMITS, ...limits }
    this.#server = new ArchiveServer((target) => this.answer(target), this.limits)
  }

  abstract finish(): Promise<InputLock>

  protected abstract answer(target: Target): Promise<Answer>

  accept(connection: Duplex): void {
    this.#server.accept(connection)
  }

  listen(): Promise<{ readonly port: number }> {
    return this.#server.listen()
  }

  served(target: Target): boolean {
    return this.#server.served.has(targetKey(target))
  }

  failures(): readonly InputFailure[] {
    return [...this.#failures.values(), ...this.#server.refusals]
  }

  stats(): { readonly requests: number; readonly bytes: number } {
    return { requests: this.#server.requests, bytes: this.#server.bytes }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }

  /** The last failure of an address is the one that is told. */
  protected fail(failure: InputFailure): void {
    this.#failures.set(targetKey(failure), failure)
  }

  /** What could be had after all did not fail. */
  protected forget(target: Target): void {
    this.#failures.delete(targetKey(target))
  }
}
