import type { BlobStore } from '../../model/blob-store.ts'
import { Failure } from '../../model/failure.ts'
import type { Input, InputLock } from '../../model/lock.ts'
import { NO_MIRROR } from '../../model/no-mirror.ts'
import { DEFAULT_INPUT_LIMITS, type InputFailure, type InputLimits, type Mirrors } from './input-proxy.ts'
import { type MirrorRequests, mirrorRequests } from './mirror-request.ts'
import { openTransfer, type TransferBudget, TransferError } from './transfer.ts'
import { Turns } from './turns.ts'

export type GatherOptions = {
  readonly lock: InputLock
  readonly blobs: BlobStore
  readonly mirrors: Mirrors
  readonly limits?: Partial<InputLimits>
  readonly signal?: AbortSignal
  /** Before a mirror that failed is asked again, ms. */
  readonly backoffMs?: number
  /** Bytes that were stored so far, of those that were missing at first. */
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Fetches what a lock names and the store lacks, by address, and keeps nothing but the bytes that the lock names. Every mirror is asked
 * before an input counts as gone or different. Gives back what could not be had, in the lock's order; aborts with the signal's reason.
 * Whether the lock describes truly what was had, `misdescribedInputs` tells.
 */
export async function gatherInputs(options: GatherOptions): Promise<readonly InputFailure[]> {
  const { lock, blobs, mirrors, onProgress } = options
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  const limits = { ...DEFAULT_INPUT_LIMITS, ...options.limits }
  const trusted = new Set([...mirrors.values()].flat().map((mirror) => mirror.hostname))
  const requests = mirrorRequests(trusted, limits.stallMs)
  const context: Context = { options, requests, limits, budget: { left: limits.totalBytes }, signal }
  const missing: Input[] = []
  for (const input of lock.inputs) if ((await blobs.size(input.sha256)) === undefined) missing.push(input)
  const total = missing.reduce((sum, input) => sum + input.size, 0)
  let done = 0
  const turns = new Turns(limits.transfers)
  try {
    const results = await Promise.all(
      missing.map(async (input) => {
        using _turn = await turns.take()
        if (signal.aborted) return null
        const failure = await gather(input, context)
        if (failure === null) onProgress?.((done += input.size), total)
        return failure
      }),
    )
    signal.throwIfAborted()
    return results.filter((failure) => failure !== null)
  } catch (error) {
    // The store failed, or the caller gave up: what is under way ends as well.
    stop.abort()
    throw error
  } finally {
    requests.close()
  }
}

type Context = {
  readonly options: GatherOptions
  readonly requests: MirrorRequests
  readonly limits: InputLimits
  readonly budget: TransferBudget
  readonly signal: AbortSignal
}

/** Null where the input is now in the store. */
async function gather(input: Input, context: Context): Promise<InputFailure | null> {
  const { options, requests, limits, budget, signal } = context
  const { archive, path, sha256: expected } = input
  /** Null where other bytes were so many that nobody read them all. */
  let actual: string | null | undefined
  let stopped: string | undefined
  let reason = NO_MIRROR
  for (const mirror of options.mirrors.get(archive) ?? []) {
    try {
      const transfer = await openTransfer({
        mirrors: [mirror],
        path,
        requests,
        // Room to learn the digest of other bytes; none for a body without end.
        limits: { ...limits, bodyBytes: Math.min(limits.bodyBytes, 2 * input.size + (1 << 20)) },
        budget,
        signal,
        ...(options.backoffMs === undefined ? {} : { backoffMs: options.backoffMs }),
      })
      if (transfer.kind === 'absent') {
        reason = 'no mirror has it any more'
        continue
      }
      await options.blobs.put(transfer.bytes, expected)
      return null
    } catch (error) {
      if (signal.aborted) return null
      if (error instanceof Failure && error.code === 'blob-differs') actual = String(error.data['actual'])
      else if (!(error instanceof TransferError)) throw error
      else if (error.code === 'network-limit' && budget.left < 0) stopped = error.message
      else if (error.code === 'network-limit') actual ??= null
      else reason = error.message
    }
  }
  const base = { archive, path, expected }
  if (stopped !== undefined) return { ...base, code: 'network-limit', actual: null, message: stopped }
  if (actual !== undefined) return { ...base, code: 'input-differs', actual, message: 'a mirror has other bytes than the lock names' }
  return { ...base, code: 'input-unavailable', actual: null, message: reason }
}
