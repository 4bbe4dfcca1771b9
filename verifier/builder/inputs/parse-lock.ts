import { Failure } from '../../model/failure.ts'
import { jsonOf } from '../../model/json-of.ts'
import { encodeLock, InputLock } from '../../model/lock.ts'
import { targetKey } from './target.ts'

/**
 * Reads a lock that somebody else made. Its bytes must be the ones that `encodeLock` gives, since its digest stands for it.
 * Failures: `input-lock-malformed`.
 */
export function parseLock(text: string): InputLock {
  const parsed = InputLock.safeParse(jsonOf(text))
  const addresses = parsed.success ? [...parsed.data.inputs, ...parsed.data.absent].map(targetKey) : []
  const sizes = parsed.success ? new Set(parsed.data.inputs.map(({ sha256, size }) => `${sha256} ${size}`)).size : 0
  const digests = parsed.success ? new Set(parsed.data.inputs.map(({ sha256 }) => sha256)).size : 0
  if (parsed.success && new Set(addresses).size === addresses.length && sizes === digests && encodeLock(parsed.data) === text)
    return parsed.data
  throw new Failure({
    code: 'input-lock-malformed',
    message: 'the input lock is not one that Bitwitness writes',
    hint: 'use the lock as it was published, byte for byte; a newer one may need a newer Bitwitness',
  })
}
