import { isDeepStrictEqual } from 'node:util'
import type { BlobStore } from '../../model/blob-store.ts'
import { Failure } from '../../model/failure.ts'
import type { Input, InputLock } from '../../model/lock.ts'
import type { InputFailure } from './input-proxy.ts'
import { lockRecording } from './lock-recording.ts'
import { targetKey } from './target.ts'

/**
 * Inputs that a lock describes as something else than they are. A lock's digests say which bytes a build may have; what it says of them
 * (the suite and the date of a signed index, the version of a package) goes into reports and policies, and whoever wrote the lock could
 * have written anything. So it is made again from the bytes, which all have to be in the store.
 */
export async function misdescribedInputs(lock: InputLock, blobs: BlobStore): Promise<readonly InputFailure[]> {
  const said = new Map(lock.inputs.map((input) => [targetKey(input), input]))
  try {
    const recorded = lock.inputs.map(({ archive, path, sha256, size }) => ({ archive, path, sha256, size }))
    const { inputs } = await lockRecording(recorded, blobs)
    const untrue = new Set(inputs.filter((input) => !isDeepStrictEqual(said.get(targetKey(input)), input)).map(targetKey))
    for (const input of lock.inputs) if ((await blobs.size(input.sha256)) !== input.size) untrue.add(targetKey(input))
    return lock.inputs.filter((input) => untrue.has(targetKey(input))).map((input) => failure(input, null))
  } catch (error) {
    const damaged = error instanceof Failure && error.code === 'blob-damaged' ? error : undefined
    const input = lock.inputs.find(({ sha256 }) => sha256 === damaged?.data['expected'])
    if (damaged === undefined || input === undefined) throw error
    return [failure(input, String(damaged.data['actual']))]
  }
}

function failure({ archive, path, sha256 }: Input, actual: string | null): InputFailure {
  const message = actual === null ? 'the lock says of an input what is not so' : 'a stored input is not what the lock names'
  return { code: 'input-differs', archive, path, expected: sha256, actual, message }
}
