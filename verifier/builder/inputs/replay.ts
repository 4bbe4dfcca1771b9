import type { BlobStore } from '../../model/blob-store.ts'
import { Failure } from '../../model/failure.ts'
import type { Input, InputLock } from '../../model/lock.ts'
import { ArchiveProxy } from './archive-proxy.ts'
import type { Answer } from './archive-server.ts'
import type { InputLimits, InputProxy } from './input-proxy.ts'
import { type Target, targetKey } from './target.ts'

export type ReplayOptions = {
  readonly lock: InputLock
  readonly blobs: BlobStore
  readonly limits?: Partial<InputLimits>
}

/**
 * Serves what a lock names from the store, and nothing else: no mirror is asked. A request for anything that the recorded build did not
 * ask for is a failure, for a build that asks for something new is not the build that was recorded.
 */
export function replayInputs(options: ReplayOptions): InputProxy {
  return new Replay(options)
}

class Replay extends ArchiveProxy {
  readonly #lock: InputLock
  readonly #blobs: BlobStore
  readonly #inputs: ReadonlyMap<string, Input>
  readonly #absent: ReadonlySet<string>

  constructor(options: ReplayOptions) {
    super(options.limits)
    this.#lock = options.lock
    this.#blobs = options.blobs
    this.#inputs = new Map(options.lock.inputs.map((input) => [targetKey(input), input]))
    this.#absent = new Set(options.lock.absent.map(targetKey))
  }

  async finish(): Promise<InputLock> {
    await this[Symbol.asyncDispose]()
    return this.#lock
  }

  protected async answer(target: Target): Promise<Answer> {
    const key = targetKey(target)
    const input = this.#inputs.get(key)
    if (input !== undefined) return await this.#body(input)
    if (!this.#absent.has(key)) this.#failed(target, 'input-unavailable', 'the build asked for an input that its lock does not name')
    return { kind: 'absent' }
  }

  async #body(input: Input): Promise<Answer> {
    const size = await this.#blobs.size(input.sha256)
    if (size === undefined) {
      this.#failed(input, 'input-unavailable', 'the lock names an input that is not in the store', { expected: input.sha256 })
      return { kind: 'failed', code: 'input-unavailable' }
    }
    if (size === input.size) return { kind: 'body', size, bytes: this.#read(input) }
    await this.#judge(input)
    return { kind: 'failed', code: 'input-differs' }
  }

  async *#read(input: Input): AsyncGenerator<Uint8Array> {
    try {
      yield* await this.#blobs.open(input.sha256)
    } catch (error) {
      this.#unreadable(input, error)
      throw error
    }
  }

  /** A stored blob of another size than the lock says: the blob is damaged, or the lock is wrong. */
  async #judge(input: Input): Promise<void> {
    try {
      for await (const _ of await this.#blobs.open(input.sha256));
      this.#failed(input, 'input-differs', 'the lock states another size than the input has', { expected: input.sha256 })
    } catch (error) {
      this.#unreadable(input, error)
    }
  }

  #unreadable(input: Input, error: unknown): void {
    const actual = error instanceof Failure && error.code === 'blob-damaged' ? error.data['actual'] : undefined
    if (typeof actual === 'string')
      this.#failed(input, 'input-differs', 'a stored input is not what the lock names', { expected: input.sha256, actual })
    else this.#failed(input, 'input-unavailable', 'a stored input could not be read', { expected: input.sha256 })
  }

  #failed(
    target: Target,
    code: 'input-unavailable' | 'input-differs',
    message: string,
    digests: { readonly expected?: string; readonly actual?: string } = {},
  ): void {
    const { archive, path } = target
    this.fail({ code, archive, path, expected: digests.expected ?? null, actual: digests.actual ?? null, message })
  }
}
