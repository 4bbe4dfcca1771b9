import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import type { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'

/** What a client calls a request, so that it may send it again. Fails with `idempotency-key-malformed`. */
export function checkedKey(key: string): string {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new Failure({
    code: 'idempotency-key-malformed',
    message: 'the Idempotency-Key is none',
    hint: 'give 1 to 255 visible ASCII characters, such as a UUID',
  })
}

/** Of a request as it was parsed: its keys have one order. */
export function digestOfRequest(request: object): Sha256 {
  return digestOf(JSON.stringify(request))
}

export function keyReused(): Failure {
  return new Failure({
    code: 'idempotency-key-reused',
    message: 'the Idempotency-Key was used for another request',
    hint: 'make a new key for each request, and repeat it only with the same one',
  })
}
