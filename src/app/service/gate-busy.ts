import { Failure } from '../../../verifier/model/failure.ts'

export function gateBusy(): Failure {
  return new Failure({
    code: 'gate-busy',
    message: 'too many others are asking the gate',
    hint: 'ask again in a moment',
    retryable: true,
    data: { retryAfterSeconds: 2 },
  })
}
