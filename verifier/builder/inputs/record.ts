import type { BlobStore } from '../../model/blob-store.ts'
import { Sha256 } from '../../model/digest.ts'
import { Failure } from '../../model/failure.ts'
import type { InputLock } from '../../model/lock.ts'
import { NO_MIRROR } from '../../model/no-mirror.ts'
import { PROFILE_ARCHIVES } from './apt-sandbox.ts'
import { ArchiveProxy } from './archive-proxy.ts'
import type { Answer } from './archive-server.ts'
import { Follower } from './follower.ts'
import type { InputFailure, InputLimits, InputProxy, Mirrors } from './input-proxy.ts'
import { lockRecording, type Recorded } from './lock-recording.ts'
import { type MirrorRequests, mirrorRequests } from './mirror-request.ts'
import { type Target, targetKey } from './target.ts'
import { openTransfer, type TransferBudget, TransferError } from './transfer.ts'
import { Turns } from './turns.ts'

export type RecordOptions = {
  /** Only these archives are answered. Dated ones come from `snapshotMirrors`. */
  readonly mirrors: Mirrors
  readonly blobs: BlobStore
  /** Debian's name (`amd64`). */
  readonly architecture: string
  /** `YYYYMMDDThhmmssZ` where `mirrors` are those of a dated archive; goes into the lock. */
  readonly snapshot: string | null
  readonly limits?: Partial<InputLimits>
  readonly signal?: AbortSignal
  /** Before a mirror that failed is asked again, ms. */
  readonly backoffMs?: number
}

/**
 * Passes a build's requests on to mirrors and keeps every body by its sha256. The first body had for an address is the only one the build
 * ever sees there, so that a lock has one body for each address. What the build gets is made from the lock's own facts (see
 * `ArchiveServer`), so a replay answers with the same bytes.
 */
export function recordInputs(options: RecordOptions): InputProxy {
  return new Recording(options)
}

class Recording extends ArchiveProxy {
  readonly #options: RecordOptions
  readonly #requests: MirrorRequests
  readonly #turns: Turns
  readonly #budget: TransferBudget
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  /** Addresses that are settled, or being fetched; a failed one is forgotten, so that it can be asked for again. */
  readonly #settled = new Map<string, Promise<Settled>>()
  readonly #recorded = new Map<string, Recorded>()
  readonly #absent = new Map<string, Target>()
  #lock: Promise<InputLock> | undefined

  constructor(options: RecordOptions) {
    super(options.limits)
    this.#options = options
    const trusted = new Set([...options.mirrors.values()].flat().map((mirror) => mirror.hostname))
    this.#requests = mirrorRequests(trusted, this.limits.stallMs)
    this.#turns = new Turns(this.limits.transfers)
    this.#budget = { left: this.limits.totalBytes }
    this.#signal = options.signal === undefined ? this.#stop.signal : AbortSignal.any([options.signal, this.#stop.signal])
  }

  finish(): Promise<InputLock> {
    this.#lock ??= this.#makeLock()
    return this.#lock
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    this.#stop.abort()
    await Promise.allSettled(this.#settled.values())
    this.#requests.close()
  }

  async #makeLock(): Promise<InputLock> {
    await this[Symbol.asyncDispose]()
    const { blobs, architecture, snapshot } = this.#options
    const recorded = [...this.#recorded.values()]
    const { inputs, failures } = await lockRecording(recorded, blobs)
    for (const failure of failures) this.fail(failure)
    return { schema: 'bitwitness/input-lock/v1', architecture, snapshot, inputs, absent: [...this.#absent.values()] }
  }

  protected async answer(target: Target): Promise<Answer> {
    const key = targetKey(target)
    const known = this.#settled.get(key)
    if (known !== undefined) return await this.#again(await known)
    if (!this.#options.mirrors.has(target.archive)) return this.#nowhere(target).answer
    const started = Promise.withResolvers<Answer>()
    const settled = this.#fetch(target, started.resolve)
    this.#settled.set(key, settled)
    void settled.then(async (outcome) => {
      if (outcome.kind === 'failed') this.#settled.delete(key)
      else this.forget(target)
      // Settled without an early answer: absent, failed, or a body whose size was not known before its end.
      started.resolve(await this.#again(outcome))
    })
    return await started.promise
  }

  /** An archive of the profile without a mirror is our lack; any other is the build's mistake. */
  #nowhere(target: Target): Settled & { kind: 'failed' } {
    return (PROFILE_ARCHIVES as readonly string[]).includes(target.archive)
      ? this.#failed(target, 'input-unavailable', NO_MIRROR)
      : this.#failed(target, 'input-refused', 'the builder profile has no such archive')
  }

  async #again(settled: Settled): Promise<Answer> {
    if (settled.kind !== 'stored') return settled.answer
    const { sha256, size } = settled.recorded
    return { kind: 'body', size, bytes: opened(this.#options.blobs, sha256) }
  }

  /** Never rejects. Answers early where the size is known before the body is. */
  async #fetch(target: Target, answer: (answer: Answer) => void): Promise<Settled> {
    const { archive, path } = target
    const { mirrors, blobs, backoffMs } = this.#options
    const follower = new Follower()
    try {
      using _turn = await this.#turns.take()
      const transfer = await openTransfer({
        mirrors: mirrors.get(archive) ?? [],
        path,
        requests: this.#requests,
        limits: this.limits,
        budget: this.#budget,
        signal: this.#signal,
        ...(backoffMs === undefined ? {} : { backoffMs }),
      })
      if (transfer.kind === 'absent') {
        this.#absent.set(targetKey(target), target)
        return { kind: 'absent', answer: { kind: 'absent' } }
      }
      if (transfer.size === null) follower.leave()
      else answer({ kind: 'body', size: transfer.size, bytes: follower })
      const { sha256, size } = await blobs.put(tee(transfer.bytes, follower), namedDigest(path))
      this.#signal.throwIfAborted()
      const recorded = { archive, path, sha256, size }
      this.#recorded.set(targetKey(target), recorded)
      follower.complete()
      return { kind: 'stored', recorded }
    } catch (error) {
      follower.fail(error instanceof Error ? error : new Error('transfer failed'))
      return this.#explain(target, error)
    }
  }

  #explain(target: Target, error: unknown): Settled {
    if (error instanceof TransferError) return this.#failed(target, error.code, error.message)
    if (error instanceof Failure && error.code === 'blob-differs') {
      const actual = String(error.data['actual'])
      return this.#failed(target, 'input-differs', 'a mirror has other bytes than the archive index names', {
        expected: namedDigest(target.path) ?? null,
        actual,
      })
    }
    const message = this.#signal.aborted ? 'the transfer was stopped' : 'the body could not be stored'
    return this.#failed(target, 'input-unavailable', message)
  }

  #failed(
    target: Target,
    code: InputFailure['code'],
    message: string,
    digests: { expected: string | null; actual: string | null } = { expected: null, actual: null },
  ): Settled & { kind: 'failed' } {
    const { archive, path } = target
    // What was stopped with the build is nothing that the build missed.
    if (!this.#signal.aborted) this.fail({ code, archive, path, ...digests, message })
    return { kind: 'failed', answer: { kind: 'failed', code } }
  }
}

type Settled =
  | { readonly kind: 'stored'; readonly recorded: Recorded }
  | { readonly kind: 'absent'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly answer: Answer }

/** `by-hash/SHA256/<hex>` says what its bytes must be. */
function namedDigest(path: string): Sha256 | undefined {
  return Sha256.safeParse(/\/by-hash\/SHA256\/([0-9a-f]{64})$/.exec(path)?.[1]).data
}

async function* tee(bytes: AsyncIterable<Uint8Array>, follower: Follower): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    await follower.push(chunk)
    yield chunk
  }
}

async function* opened(blobs: BlobStore, sha256: Sha256): AsyncGenerator<Uint8Array> {
  yield* await blobs.open(sha256)
}
