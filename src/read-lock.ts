import { parseLock } from '../verifier/builder/inputs/parse-lock.ts'
import { readSmallFile } from '../verifier/bytes/small-file.ts'
import { Failure } from '../verifier/model/failure.ts'
import { type InputLock, MAX_LOCK_BYTES } from '../verifier/model/lock.ts'
import { shownName } from '../verifier/model/shown-name.ts'

/** The lock in a file. Failures: `lock-unreadable`, `input-lock-malformed`. */
export async function readLock(file: string): Promise<InputLock> {
  const read = await readSmallFile(file, { maxBytes: MAX_LOCK_BYTES })
  if (read.bytes !== null) return parseLock(read.bytes.toString('utf8'))
  throw new Failure({
    code: 'lock-unreadable',
    message: `the input lock ${shownName(file)} cannot be read`,
    hint: 'give the path of the inputs.lock.json that a build wrote',
    cause: read.cause,
  })
}
